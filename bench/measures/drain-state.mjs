import { runArguments, runRowlock } from './rowlock-process.mjs';

/**
 * One run, from the start of its process to its end.
 *
 * @param {import('./table-states.mjs').TableState} state
 * @param {number} jobs that must be completed by it
 * @returns {Promise<number>} milliseconds
 */
export async function drainState({ database, options }, jobs) {
  const ms = await runRowlock(runArguments(options), database.url);
  await requireCompleted(database.connection, jobs);
  return ms;
}

/**
 * The last run must have completed all that it was started for.
 *
 * @param {import('mysql2/promise').Connection} connection
 * @param {number} jobs
 */
export async function requireCompleted(connection, jobs) {
  const [rows] = await connection.query(
    'SELECT completed FROM background_job_runs ORDER BY started_at DESC, finished_at DESC LIMIT 1',
  );
  const completed = Number(/** @type {{ completed: number }[]} */ (rows)[0]?.completed);
  if (completed !== jobs) throw new Error(`a run completed ${completed} of ${jobs} jobs`);
}
