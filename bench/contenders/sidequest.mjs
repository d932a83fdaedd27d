import { createConnection, createPool } from 'mysql2/promise';
import { Sidequest } from 'sidequest';
import { batches, times } from './contender.mjs';
import { dropDatabase, makeEmptyDatabase } from './mysql-place.mjs';
import { NoopJob } from './sidequest-job.mjs';
import { TUNING } from './tuning.mjs';

/** Enqueues under way at once: it has nothing for many jobs, so they go out side by side. */
const BATCH = 100;

/** @param {string} url */
const backend = (url) => ({
  driver: /** @type {const} */ ('@sidequest/mysql-backend'),
  config: { connection: url, pool: { min: 1, max: 20 } },
});

const QUIET = { level: /** @type {const} */ ('error') };

const QUEUE = { name: 'default', concurrency: TUNING.sidequest.maxConcurrentJobs };

/** @param {string} url */
async function prepare(url) {
  await makeEmptyDatabase(url);
  await Sidequest.configure({ backend: backend(url), logger: QUIET, skipMigration: false });
  await Sidequest.stop();
  // Workers that start at the same time would each make their queue, and all but one of them die of it.
  const connection = await createConnection(url);
  await connection.query('INSERT INTO sidequest_queues SET ?', [{ ...QUEUE, priority: 0, state: 'active' }]);
  await connection.end();
}

/** @param {string} url */
async function open(url) {
  await Sidequest.configure({ backend: backend(url), logger: QUIET, skipMigration: true });
  const pool = createPool({ uri: url, connectionLimit: 1 });
  const countCompleted = async () => {
    const [rows] = await pool.query("SELECT COUNT(*) AS jobs FROM sidequest_jobs WHERE state = 'completed'");
    return Number(/** @type {{ jobs: number }[]} */ (rows)[0]?.jobs);
  };
  return {
    /** @param {number} count */
    async enqueueEach(count) {
      for (let index = 0; index < count; index++) await Sidequest.build(NoopJob).enqueue();
    },
    /** @param {number} count */
    async enqueueAll(count) {
      for (const { size } of batches(count, BATCH)) {
        await Promise.all(times(size, () => Sidequest.build(NoopJob).enqueue()));
      }
    },
    /** @param {number} count */
    isDone: async (count) => (await countCompleted()) >= count,
    countCompleted,
    async close() {
      await Sidequest.stop();
      await pool.end();
    },
  };
}

/** @param {string} url */
async function work(url) {
  await Sidequest.start({
    backend: backend(url),
    logger: QUIET,
    skipMigration: true,
    dashboard: { enabled: false },
    queues: [QUEUE],
    ...TUNING.sidequest,
    gracefulShutdown: false,
  });
}

/** @type {import('./contender.mjs').Contender} */
export const contender = { prepare, remove: dropDatabase, open, work };
