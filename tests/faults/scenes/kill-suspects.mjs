import { setTimeout as pause } from 'node:timers/promises';
import { steadyNow } from '../stage/clock.mjs';
import { readJournal, toExecutions } from '../stage/journal.mjs';
import { isRunning, sendSignal } from '../stage/processes.mjs';
import { until } from '../stage/until.mjs';

const FLEET = 2;

/** These runs do 30 in a second. What is left over is done in the end, which took longer than the faults of the short form. */
const JOBS_PER_SECOND = { short: 40, long: 60 };

/** It goes on until so many suspects have been killed, for so long. */
const KILLED_AT_LEAST = 3;
const PATIENCE_MS = 60_000;

/** The processes of suspects start beside the runs, and these renew late meanwhile. */
const LEASE_MS = 6_000;

/** Between two faults. */
const GAP_MS = { from: 30, to: 400 };

/** Workers die so often, and make suspects of what they held; the poison jobs among the others do that too. */
const WORKER_DIES = 0.06;

/** There are to be suspects before the first rescue as well: some rows are made such, as a rescue leaves them. */
const ACCUSED_EVERY_MS = 1_000;
const ACCUSED_AT_ONCE = 8;

/** A suspect's process whose run dies is stopped meanwhile so often, and wakes when others have its job. */
const ORPHAN_SLEEPS = 0.3;

/** A process is killed so often before it has taken a job; else it is left to take one. */
const STARTING_DIES = 0.15;

/** A third crash fails a job, and an innocent one is to complete. */
const CRASHES_AT_MOST = 2;

/** The lease, the next rescue and claim, on a machine that has more to do. */
const TAKEN_WITHIN_MS = 30_000;

/** A process without its parent looks for it every half second. */
const ORPHAN_ENDS_WITHIN_MS = 10_000;

/**
 * A suspect whose process was killed.
 * @typedef {{ job: number, attempt: number, runId: number | undefined }} Killed
 */

/** @type {import('./scene.mjs').Scene} */
export const scene = {
  name: 'kill-suspects',
  title: 'SIGKILL of the processes of suspects, of their runs, and of both',
  async run(stage) {
    const random = stage.random.fork('suspects');
    stage.leaseMs = LEASE_MS;
    const fleet = stage.startFleet({ size: FLEET, args: ['--concurrency', '3'] });
    stage.startRescuers();
    stage.startProducers({
      mix: { noop: 4, slow: 3, poison: 0.05, 'effect.complete': 4, 'effect.save': 4, retry: 1, once: 0.3 },
      jobsPerSecond: stage.isLong ? JOBS_PER_SECOND.long : JOBS_PER_SECOND.short,
      payloadOf: (_, choice) => ({ ms: choice.int(20, 300) }),
    });
    /** @type {Killed[]} */
    const killed = [];
    /** @type {Promise<void>[]} */
    const orphans = [];
    let accusedAt = 0;
    const latest = steadyNow() + PATIENCE_MS;
    while (stage.hasTime || (killed.length < KILLED_AT_LEAST && steadyNow() < latest)) {
      await pause(random.int(GAP_MS.from, GAP_MS.to));
      if (steadyNow() - accusedAt > ACCUSED_EVERY_MS) {
        await accuse(stage);
        accusedAt = steadyNow();
      }
      const strikesWorker = random.chance(WORKER_DIES);
      const sleeps = random.chance(ORPHAN_SLEEPS);
      const startingDies = random.chance(STARTING_DIES);
      const choice = random.next();
      const victim = random.pick(fleet.live);
      if (victim === undefined) continue;
      const children = fleet.childrenOf(victim.number);
      const child = children[Math.floor(choice * children.length)];
      if (strikesWorker) {
        const sleeper = child !== undefined && sleeps && sendSignal(child, 'SIGSTOP') ? child : undefined;
        await stage.killRun(fleet, victim.number);
        if (sleeper !== undefined) orphans.push(wakeOrphan(stage, sleeper));
      } else if (child !== undefined) {
        const one = await killChild(stage, child, startingDies);
        if (one !== undefined) killed.push({ ...one, runId: fleet.runIdOf(victim.number) });
      }
    }
    if (killed.length < KILLED_AT_LEAST)
      throw new Error(`${killed.length} suspects were killed, and not ${KILLED_AT_LEAST}`);
    await Promise.all(orphans);
    await stage.comeToRest();
    await compareWithHistory(stage, killed);
  },
};

/** @param {import('../stage/stage.mjs').Stage} stage */
async function accuse({ database, expect }) {
  expect.accused ??= new Set();

  const rows = await database.execute(
    `SELECT id FROM background_jobs WHERE status = 'pending' AND crashes = 0 ORDER BY id DESC LIMIT ?`,
    [ACCUSED_AT_ONCE],
  );
  for (const { id } of rows) {
    expect.accused.add(id);
    await database.execute(
      `UPDATE background_jobs SET crashes = 1 WHERE id = ? AND status = 'pending' AND crashes = 0`,
      [id],
    );
  }
}

/**
 * The execution that a suspect's process is at; undefined: it waits for one.
 *
 * @param {import('../stage/stage.mjs').Stage} stage
 * @param {number} pid
 */
const executionOf = (stage, pid) =>
  toExecutions(readJournal(stage.journalFile)).findLast((one) => one.pid === pid && one.endedAt === undefined);

/**
 * Whether a process has loaded the job functions, which it does before it takes a job.
 *
 * @param {import('../stage/stage.mjs').Stage} stage
 * @param {number} pid
 */
const hasLoaded = (stage, pid) =>
  readJournal(stage.journalFile).some((line) => line.what === 'load' && line.pid === pid);

/**
 * @param {import('../stage/stage.mjs').Stage} stage
 * @param {number} pid
 * @param {boolean} startingDies also if it has no job yet
 * @returns {Promise<{ job: number, attempt: number } | undefined>} what it was at, and has not ended
 */
async function killChild(stage, pid, startingDies) {
  // It stands still while it is looked at.
  if (!sendSignal(pid, 'SIGSTOP')) return undefined;
  const at = executionOf(stage, pid);
  const [row] =
    at === undefined
      ? []
      : await stage.database.execute(
          'SELECT id, run_id AS runId, attempts, crashes FROM background_jobs WHERE id = ?',
          [at.job],
        );
  if (at === undefined && startingDies && !hasLoaded(stage, pid)) {
    // It cannot have been given one yet: no job is to be charged with it.
    if (sendSignal(pid, 'SIGKILL')) stage.faults.note('SIGKILL of a process that starts for a suspect');
    return undefined;
  }
  if (at === undefined || row === undefined || row.crashes >= CRASHES_AT_MOST) {
    sendSignal(pid, 'SIGCONT');
    return undefined;
  }
  if (!sendSignal(pid, 'SIGKILL')) return undefined;
  stage.faults.note('SIGKILL of a suspect', [row]);
  return { job: at.job, attempt: at.attempt };
}

/**
 * Its run has died. When others have its job, it wakes: it is to write nothing, and to end.
 *
 * @param {import('../stage/stage.mjs').Stage} stage
 * @param {number} pid
 */
async function wakeOrphan(stage, pid) {
  stage.atEnd(() => isRunning(pid) && sendSignal(pid, 'SIGKILL'));
  const at = executionOf(stage, pid);
  const isTaken = async () => {
    if (at === undefined) return true;
    const [row] = await stage.database.execute('SELECT status, run_id AS runId FROM background_jobs WHERE id = ?', [
      at.job,
    ]);
    if (row.status !== 'running') return true;
    const [run] = await stage.database.execute(
      'SELECT 1 FROM background_job_runs WHERE id = ? AND finished_at IS NULL',
      [row.runId],
    );
    return run !== undefined;
  };
  await until(`others take the job of process ${pid}`, isTaken, { deadlineMs: TAKEN_WITHIN_MS, everyMs: 250 });
  stage.faults.note('SIGCONT of a suspect whose run has died');
  sendSignal(pid, 'SIGCONT');
  await until(`process ${pid} ends without its run`, () => !isRunning(pid), { deadlineMs: ORPHAN_ENDS_WITHIN_MS });
}

/**
 * Each kill is in the history of its job, and nothing else is but for the poison: it was no other's fault.
 *
 * @param {import('../stage/stage.mjs').Stage} stage
 * @param {readonly Killed[]} killed
 */
async function compareWithHistory(stage, killed) {
  /** @type {{ job: number, attempt: number, runId: number, type: string }[]} */
  const told = await stage.database.execute(
    `SELECT e.job_id AS job, e.attempt, e.run_id AS runId, j.job_type AS type FROM background_job_errors e
     JOIN background_jobs j ON j.id = e.job_id WHERE e.error LIKE 'crash % of %: % by SIGKILL'`,
  );
  /** @type {{ id: number, outcome: string }[]} */
  const runs = await stage.database.execute('SELECT id, outcome FROM background_job_runs');
  const inOrder = new Set(
    runs.filter(({ outcome }) => outcome === 'finished' || outcome === 'stopped').map(({ id }) => id),
  );
  const keyOf = (/** @type {Killed} */ { job, attempt, runId }) => `${job} ${attempt} ${runId}`;
  const known = new Set(told.map(keyOf));
  for (const one of killed) {
    // A run that has died itself may have had no time to say so.
    if (one.runId === undefined || !inOrder.has(one.runId) || known.has(keyOf(one))) continue;
    stage.findings.push({
      check: 'each crash is told',
      id: one.job,
      text: `attempt ${one.attempt} was killed; its history does not say so`,
    });
  }
  const done = new Set(killed.map(keyOf));
  for (const one of told) {
    if (one.type === 'poison' || done.has(keyOf(one))) continue;
    stage.findings.push({
      check: 'each crash is told',
      id: one.job,
      text: `attempt ${one.attempt}: a crash, and nobody has killed it`,
    });
  }
}
