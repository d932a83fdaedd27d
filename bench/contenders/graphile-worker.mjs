import { makeWorkerUtils, run } from 'graphile-worker';
import pg from 'pg';
import { batches, NAME, times } from './contender.mjs';
import { countOne } from './handled.mjs';
import { dropDatabase, makeEmptyDatabase } from './postgres-place.mjs';
import { TUNING } from './tuning.mjs';

/** Jobs of one add_jobs. Its own benchmark sends them whole; the row size of this is no burden to anybody. */
const BATCH = 10_000;

/** @param {string} url */
async function prepare(url) {
  await makeEmptyDatabase(url);
  const utils = await makeWorkerUtils({ connectionString: url });
  await utils.migrate();
  await utils.release();
}

/** @param {string} url */
async function open(url) {
  const utils = await makeWorkerUtils({ connectionString: url });
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  let enqueued = 0;
  /** Completed jobs are deleted: what is not there any more is done. */
  const countCompleted = async () => {
    const { rows } = await pool.query('SELECT COUNT(*)::int AS jobs FROM graphile_worker._private_jobs');
    return enqueued - rows[0].jobs;
  };
  return {
    /** @param {number} count */
    async enqueueEach(count) {
      for (let index = 0; index < count; index++) await utils.addJob(NAME, { index });
      enqueued += count;
    },
    /** @param {number} count */
    async enqueueAll(count) {
      for (const { first, size } of batches(count, BATCH)) {
        await utils.addJobs(times(size, (index) => ({ identifier: NAME, payload: { index: first + index } })));
      }
      enqueued += count;
    },
    async isDone() {
      const { rows } = await pool.query('SELECT EXISTS (SELECT 1 FROM graphile_worker._private_jobs) AS some');
      return !rows[0].some;
    },
    countCompleted,
    async close() {
      await utils.release();
      await pool.end();
    },
  };
}

/** @param {string} url */
async function work(url) {
  const runner = await run({
    preset: { worker: { connectionString: url, ...TUNING['graphile-worker'] } },
    taskList: { [NAME]: () => countOne() },
  });
  await runner.promise;
}

/** @type {import('./contender.mjs').Contender} */
export const contender = { prepare, remove: dropDatabase, open, work };
