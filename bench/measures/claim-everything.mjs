import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** @typedef {typeof import('../../src/db/pool.ts')} Pools */
/** @typedef {typeof import('../../src/server-url.ts')} Urls */
/** @typedef {typeof import('../../src/worker/claimer.ts')} Claimers */
/** @typedef {typeof import('../../src/queue/job.ts')} Jobs */
/** @typedef {typeof import('../../src/queue/runs.ts')} Runs */

/**
 * Claims as a run does, with the very code of one, until nothing is due.
 *
 * @param {string} url
 * @param {{ queues: string[], types: string[] }} selection
 * @param {(on: import('mysql2/promise').Pool, claim: () => Promise<number>) => Promise<T>} measure is given what claims,
 * which answers with the number of jobs, and the pool of one connection that all of it goes through
 * @returns {Promise<T>}
 * @template T
 */
export async function claimEverything(url, selection, measure) {
  const { openPool } = /** @type {Pools} */ (load('db/pool'));
  const { parseServerUrl } = /** @type {Urls} */ (load('server-url'));
  const { Claimer } = /** @type {Claimers} */ (load('worker/claimer'));
  const { IDS_AT_MOST } = /** @type {Jobs} */ (load('queue/job'));
  const { openRun, closeRun, newRunId } = /** @type {Runs} */ (load('queue/runs'));

  const settings = parseServerUrl(url);
  if (typeof settings === 'string') throw new Error(`the URL of the bench's server ${settings}`);
  const pool = openPool(settings, { connections: 1, sessionTimeoutMs: 60_000 });
  const runId = newRunId();
  try {
    await openRun(pool, { runId, host: 'bench', pid: process.pid, selection: '', leaseMs: 3_600_000 });
    const claimer = new Claimer(pool, selection, runId, () => false);
    return await measure(pool, async () => {
      for (let claimed = 0; ; ) {
        const { jobs, exhausted } = await claimer.claim(IDS_AT_MOST);
        claimed += jobs.length;
        if (exhausted) return claimed;
      }
    });
  } finally {
    // Or the next run would take them for jobs that were lost in a crash.
    await pool.query("UPDATE background_jobs SET status = 'completed', processed_at = NOW(3) WHERE status = 'running'");
    await closeRun(pool, runId, 'finished');
    await pool.end();
  }
}

/** @param {string} module of the build, which is what the bench measures @returns {unknown} */
const load = (module) => require(`../../dist/${module}.js`);
