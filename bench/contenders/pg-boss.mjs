import pg from 'pg';
import { PgBoss } from 'pg-boss';
import { batches, NAME, times } from './contender.mjs';
import { countOne } from './handled.mjs';
import { dropDatabase, makeEmptyDatabase } from './postgres-place.mjs';
import { TUNING } from './tuning.mjs';

/** Jobs of one insert(): it takes any number. */
const BATCH = 10_000;

/**
 * @param {string} url
 * @param {object} [options]
 */
async function start(url, options = { supervise: false, schedule: false }) {
  const boss = new PgBoss({ connectionString: url, ...options });
  boss.on('error', (/** @type {Error} */ error) => process.stderr.write(`pg-boss: ${error.message}\n`));
  await boss.start();
  return boss;
}

/** @param {string} url */
async function prepare(url) {
  await makeEmptyDatabase(url);
  const boss = await start(url);
  await boss.createQueue(NAME);
  await boss.stop({ graceful: false });
}

/** @param {string} url */
async function open(url) {
  const boss = await start(url);
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  return {
    /** @param {number} count */
    async enqueueEach(count) {
      for (let index = 0; index < count; index++) await boss.send(NAME, { index });
    },
    /** @param {number} count */
    async enqueueAll(count) {
      for (const { first, size } of batches(count, BATCH)) {
        await boss.insert(
          NAME,
          times(size, (index) => ({ data: { index: first + index } })),
        );
      }
    },
    async isDone() {
      const { rows } = await pool.query(
        "SELECT EXISTS (SELECT 1 FROM pgboss.job WHERE name = $1 AND state < 'completed') AS some",
        [NAME],
      );
      return !rows[0].some;
    },
    async countCompleted() {
      const { rows } = await pool.query(
        "SELECT COUNT(*)::int AS jobs FROM pgboss.job WHERE name = $1 AND state = 'completed'",
        [NAME],
      );
      return rows[0].jobs;
    },
    async close() {
      await boss.stop({ graceful: false });
      await pool.end();
    },
  };
}

/** @param {string} url */
async function work(url) {
  const boss = await start(url, {});
  await boss.work(NAME, TUNING['pg-boss'], async (/** @type {unknown[]} */ jobs) => {
    for (const _ of jobs) countOne();
  });
}

/** @type {import('./contender.mjs').Contender} */
export const contender = { prepare, remove: dropDatabase, open, work };
