import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createPool } from 'mysql2/promise';
import { PROJECT } from '../../scripts/project.mjs';
import { createQueue } from './built.mjs';
import { times } from './contender.mjs';
import { dropDatabase, makeEmptyDatabase } from './mysql-place.mjs';

const TYPE = 'bench.noop';

/** @param {string} url */
async function prepare(url) {
  await makeEmptyDatabase(url);
  const env = { PATH: process.env['PATH'], DATABASE_URL: url };
  await promisify(execFile)(process.execPath, [join(PROJECT, 'dist', 'cli.js'), 'migrate'], { cwd: PROJECT, env });
}

/** @param {string} url */
async function open(url) {
  const pool = createPool({ uri: url, connectionLimit: 2 });
  const queue = createQueue(pool);
  /** @returns {Promise<number>} */
  const countCompleted = async () => {
    const [rows] = await pool.query("SELECT COUNT(*) AS jobs FROM background_jobs WHERE status = 'completed'");
    return Number(/** @type {{ jobs: number }[]} */ (rows)[0]?.jobs);
  };
  return {
    /** @param {number} count */
    async enqueueEach(count) {
      for (let index = 0; index < count; index++) await queue.enqueue({ type: TYPE, payload: { index } });
    },
    /** @param {number} count */
    async enqueueAll(count) {
      await queue.enqueueMany(times(count, (index) => ({ type: TYPE, payload: { index } })));
    },
    /**
     * The ledger of the runs is written in the transaction of each settle.
     *
     * @param {number} count
     */
    async isDone(count) {
      const [rows] = await pool.query('SELECT SUM(completed) AS jobs FROM background_job_runs');
      return Number(/** @type {{ jobs: string }[]} */ (rows)[0]?.jobs) >= count;
    },
    countCompleted,
    close: () => pool.end(),
  };
}

/** Through its library, and its command: `rowlock run --jobs bench/jobs.mjs`, defaults else. @type {import('./contender.mjs').Contender} */
export const contender = { prepare, remove: dropDatabase, open };
