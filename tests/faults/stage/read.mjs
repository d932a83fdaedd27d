import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { toWallMs } from './clock.mjs';
import { readRunId } from './fleet.mjs';
import { readJournal, toExecutions } from './journal.mjs';
import { readEvents } from './logs.mjs';

const TIMES = (/** @type {string} */ column) => `UNIX_TIMESTAMP(${column}) * 1000`;

/**
 * Reads the tables as they are now.
 *
 * @param {import('./server.mjs').Server} server
 * @param {(serverMs: number) => number} toTrueMs what the server's clock says, on the true one
 */
export async function readTables(server, toTrueMs) {
  const connection = await server.connect();
  /**
   * @param {string} sql
   * @returns {Promise<Record<string, any>[]>}
   */
  const ask = async (sql) => /** @type {any[]} */ ((await connection.query(sql))[0]);
  const toTime = (/** @type {unknown} */ value) => {
    const time = toNumber(value);
    return time === null ? null : toTrueMs(time);
  };
  try {
    // A session's own: it says what the times below are.
    await connection.query(`SET time_zone = '+00:00'`);
    const jobs = await ask(
      `SELECT id, job_type AS type, JSON_UNQUOTE(JSON_EXTRACT(payload, '$.token')) AS token, status, attempts, crashes,
              run_id AS runId, ${TIMES('cancelled_at')} AS cancelledAt, ${TIMES('processed_at')} AS processedAt,
              CAST(UNIX_TIMESTAMP(processed_at) AS CHAR) AS endedAt, ${TIMES('run_at')} AS runAt,
              last_error AS lastError, result IS NOT NULL AS hasResult,
              IF(JSON_VALID(result), JSON_UNQUOTE(JSON_EXTRACT(result, '$.token')), NULL) AS resultToken
       FROM background_jobs ORDER BY id`,
    );
    const runs = await ask(
      `SELECT id, pid, ${TIMES('started_at')} AS startedAt, ${TIMES('finished_at')} AS finishedAt, outcome,
              claimed, completed, retried, failed, released FROM background_job_runs`,
    );
    const errors = await ask(
      `SELECT id, job_id AS job, attempt, run_id AS runId, ${TIMES('occurred_at')} AS at, error FROM background_job_errors`,
    );
    const effects = await ask('SELECT job_id AS job, step, attempt, process FROM effects');
    return {
      jobs: /** @type {import('../check/readings.mjs').JobRow[]} */ (
        jobs.map((row) => ({
          ...row,
          token: toNumber(row['token']),
          hasResult: row['hasResult'] === 1,
          resultToken: toNumber(row['resultToken']),
          cancelledAt: toTime(row['cancelledAt']),
          processedAt: toTime(row['processedAt']),
          runAt: toTime(row['runAt']),
        }))
      ),
      runs: /** @type {import('../check/readings.mjs').RunRow[]} */ (
        runs.map((row) => ({ ...row, startedAt: toTime(row['startedAt']), finishedAt: toTime(row['finishedAt']) }))
      ),
      errors: /** @type {import('../check/readings.mjs').ErrorRow[]} */ (
        errors.map((row) => ({ ...row, at: toTime(row['at']) }))
      ),
      effects: /** @type {import('../check/readings.mjs').EffectRow[]} */ (effects),
    };
  } finally {
    connection.destroy();
  }
}

/**
 * A DECIMAL arrives as a string.
 *
 * @param {unknown} value
 */
const toNumber = (value) => (value === null || value === undefined || value === 'null' ? null : Number(value));

/**
 * What the functions said of themselves, on the server's clock.
 *
 * @param {string} file
 * @param {readonly import('./fleet.mjs').RunProcess[]} processes
 * @returns {import('../check/readings.mjs').ExecutionReading[]}
 */
export function readExecutions(file, processes) {
  const lines = readJournal(file).map((line) => ({ ...line, at: toWallMs(line.at) }));
  const runIdOf = findRunIds(lines, processes);
  return toExecutions(lines).map((execution) => ({ ...execution, runId: runIdOf(execution) }));
}

/**
 * Which run a process has executed for: its own, or that of the run which has started it for a suspect. The runs of
 * `rowlock schedule` share a log and a number, and each has a pid of its own.
 *
 * @param {readonly import('./journal.mjs').JournalLine[]} lines
 * @param {readonly import('./fleet.mjs').RunProcess[]} processes
 * @returns {(by: { process: number, pid: number }) => number | undefined}
 */
function findRunIds(lines, processes) {
  const runsOf = new Map(
    processes.map(({ number, log }) => [
      number,
      new Map(
        readEvents(log)
          .filter(({ event }) => event === 'run.started')
          .map(({ pid, run_id }) => [pid, run_id]),
      ),
    ]),
  );
  const parentOf = new Map(
    lines.filter(({ what }) => what === 'load').map(({ process, pid, parent }) => [`${process} ${pid}`, parent]),
  );
  return ({ process, pid }) => {
    const runs = runsOf.get(process);
    // A child whose run has died has another parent already.
    if (runs?.size === 1) return [...runs.values()][0];
    return runs?.get(pid) ?? runs?.get(parentOf.get(`${process} ${pid}`));
  };
}

const TOLD = new Set(['job.released', 'job.taken_away', 'job.result_dropped']);

/**
 * @param {readonly import('./fleet.mjs').RunProcess[]} processes
 * @returns {import('../check/readings.mjs').JobEvent[]}
 */
export const readJobEvents = (processes) =>
  processes.flatMap(({ number, log }) =>
    readEvents(log)
      .filter(({ event }) => TOLD.has(event))
      .map(({ event, job_id, attempt }) => ({
        event: /** @type {import('../check/readings.mjs').JobEvent['event']} */ (event),
        job: Number(job_id),
        attempt,
        process: number,
      })),
  );

/**
 * @param {readonly import('./fleet.mjs').RunProcess[]} processes
 * @returns {import('../check/readings.mjs').ProcessReading[]}
 */
export const readProcesses = (processes) =>
  processes.map(({ number, pid, startedAt, endedAt, code, signal, sent, hung, log }) => ({
    number,
    pid,
    runId: readRunId(log),
    startedAt: toWallMs(startedAt),
    endedAt: endedAt === undefined ? undefined : toWallMs(endedAt),
    code,
    signal,
    sent,
    hung,
    log: basename(log),
  }));

/**
 * All that was printed or logged into a folder.
 *
 * @param {string} folder
 */
export function readPrints(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).map((name) => ({ name, text: readFileSync(join(folder, name), 'utf8') }));
}
