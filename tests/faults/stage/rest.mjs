import { join } from 'node:path';
import { steadyNow } from './clock.mjs';
import { isRunning } from './processes.mjs';
import { readPrints } from './read.mjs';
import { Late, requireLate, until } from './until.mjs';

/** A row that is to be run later than this when all comes to rest was put off by mistake. */
const LATEST_SECONDS = 10;

/**
 * What a worker cannot do just now, which is not the job's fault, it does not try again for a minute: a suspect's process that was killed
 * before it began, a payload that is larger than the server sends.
 */
const PUT_OFF = /"event":"job\.released".*"job_id":(\d+),.*"why":"(it could not be started|its payload or checkpoint)/g;
const PUT_OFF_SECONDS = 60;

/** As long as rows go without one of them ending. Leases are 15 s at most, and what they held begins anew then. */
const STUCK_AFTER_MS = 60_000;

const DEADLOCK = 1213;
const LOCK_WAIT_TIMEOUT = 1205;

/** @typedef {import('./stage.mjs').Stage} Stage */

/**
 * Ends every pause before a next attempt, and waits until all rows have ended, no run is open whose process is not there,
 * and each fault is recovered from. What does not come to that is a finding.
 *
 * @param {Stage} stage whose producers have ended, and whose fleets work
 */
export async function untilQuiet(stage) {
  await until('every row ends', haveAllEnded(stage), { deadlineMs: Infinity, everyMs: 250 }).catch((error) => {
    stage.findings.push({ check: 'every row ends', id: '', text: requireLate(error).message });
  });
  // One that was killed just now has its lease still: the runs that go on close it once that is over.
  await until('every run of a dead process is closed', () => areOpenRunsAlive(stage), {
    everyMs: 250,
    deadlineMs: 30_000,
  }).catch((error) =>
    stage.findings.push({ check: 'the run ledger adds up', id: '', text: requireLate(error).message }),
  );
  await until('every fault is recovered from', () => stage.faults.waitedFor.length === 0).catch((error) => {
    stage.findings.push({ check: 'every row ends', id: '', text: requireLate(error).message });
  });
}

/**
 * How long it takes says something of the machine, and of how much there was left to do. That it goes on is what counts: each
 * look that finds fewer open rows than any before gives it its time again.
 *
 * @param {Stage} stage
 */
function haveAllEnded(stage) {
  let fewest = Infinity;
  let since = steadyNow();
  return async () => {
    const left = await countOpen(stage);
    if (left < fewest) {
      fewest = left;
      since = steadyNow();
    }
    if (steadyNow() - since > STUCK_AFTER_MS)
      throw new Late(`${left} rows are open, and for ${STUCK_AFTER_MS / 1000} s no fewer`);
    return left === 0;
  };
}

/** @param {Stage} stage */
async function areOpenRunsAlive(stage) {
  const runs = await stage.database.execute('SELECT pid FROM background_job_runs WHERE finished_at IS NULL');
  return runs.every((/** @type {{ pid: number }} */ { pid }) => isRunning(pid));
}

/**
 * Rows that have not ended, each pause before a next attempt being over: one that was long is told.
 *
 * @param {Stage} stage
 */
async function countOpen(stage) {
  await findLate(stage);
  const hurry = stage.database.execute(
    `UPDATE background_jobs SET run_at = NOW(3) WHERE status = 'pending' AND run_at > NOW(3) + INTERVAL 1 SECOND`,
  );
  await hurry.catch((error) => {
    // A claim of the same rows has won; the next look comes soon.
    if (error.errno !== DEADLOCK && error.errno !== LOCK_WAIT_TIMEOUT) throw error;
  });
  const [row] = await stage.database.execute(
    `SELECT COUNT(*) AS open FROM background_jobs WHERE status IN ('pending', 'running')`,
  );
  return Number(row.open);
}

/**
 * A retry is due within half a second here, and a row of a producer within three: what is put off further is so by mistake.
 *
 * @param {Stage} stage
 */
async function findLate(stage) {
  /** @type {{ id: number, type: string, token: string | null, seconds: number }[]} */
  const rows = await stage.database.execute(
    `SELECT id, job_type AS type, JSON_UNQUOTE(JSON_EXTRACT(payload, '$.token')) AS token,
            TIMESTAMPDIFF(SECOND, NOW(3), run_at) AS seconds FROM background_jobs
     WHERE status = 'pending' AND run_at > NOW(3) + INTERVAL ? SECOND`,
    [LATEST_SECONDS],
  );
  if (rows.length === 0) return;
  const putOff = readPutOff(stage);
  for (const { id, type, token, seconds } of rows) {
    if (stage.expect.touchedTokens.has(Number(token)) || stage.expect.late.has(type)) continue;
    if (putOff.has(Number(id)) && seconds <= PUT_OFF_SECONDS) continue;
    stage.findings.push({ check: 'put off no further than said', id, text: `${type}: due in ${seconds} s` });
  }
}

/**
 * Ids of jobs that a worker has given back for a minute, by its log.
 *
 * @param {Stage} stage
 */
const readPutOff = ({ folder }) =>
  new Set(
    readPrints(join(folder, 'runs')).flatMap(({ text }) => [...text.matchAll(PUT_OFF)].map(([, id]) => Number(id))),
  );
