import { setTimeout as pause } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { steadyNow } from '../stage/clock.mjs';
import { readJournal } from '../stage/journal.mjs';
import { dealSteps, Lane } from '../stage/lane.mjs';
import { sendSignal } from '../stage/processes.mjs';
import { UPKEEP_STEPS, WORK_STEPS } from '../stage/steps.mjs';
import { Late, until } from '../stage/until.mjs';

/** Runs that work, each to be frozen again and again; runs that only rescue; and runs that nobody touches. */
const LANES = { work: 3, upkeep: 1, free: 1 };
const LANES_IF_LONG = { work: 6, upkeep: 2 };

/**
 * Less than the 5 s after which the server ends a silent session: a statement that was held then still arrives, when its run
 * has been closed.
 */
const LEASE_MS = 3_000;

/** A run ends after so many jobs: its close is one of the steps, and comes by often enough. */
const MOST_JOBS = 60;

/** What is left over by the runs that are frozen is to be done in the end, by few: at 60 that took longer than the frosts. */
const JOBS_PER_SECOND = 30;

/** For a step that comes by all the while; it may need a new run, or one that has died. */
const PATIENCE_MS = 10_000;

/**
 * From SIGSTOP until somebody has closed the run, and put its jobs back: the lease, or, where the run holds locks, the
 * timeout of its session; and the next rescue, on a machine that has more to do.
 */
const CLOSED_WITHIN_MS = 40_000;

/** The long form goes on for so much longer, at most, until a run was frozen at each step. */
const OVERTIME_MS = 150_000;

/** From SIGCONT until the process has ended. */
const ENDED_WITHIN_MS = 30_000;

const LEASE_LOST = 75;

/** Some wake before their lease has passed: nobody has noticed, and they go on. */
const NAPS = 0.15;
const NAP_MS = { from: 50, to: 1_500 };

/** @type {import('./scene.mjs').Scene} */
export const scene = {
  name: 'freeze-workers',
  title: 'SIGSTOP at every step of a run; another run closes it; SIGCONT',
  weight: 3,
  async run(stage) {
    const random = stage.random.fork('frosts');
    stage.leaseMs = LEASE_MS;
    const common = ['--max-runs', '20', '--concurrency', '2'];
    stage.startFleet({ size: LANES.free, args: common });
    stage.startProducers({
      mix: { noop: 4, result: 2, slow: 1, 'effect.complete': 6, 'effect.save': 6, retry: 1, fail: 0.2, once: 0.3 },
      jobsPerSecond: JOBS_PER_SECOND,
      payloadOf: (type, choice) => ({ ms: choice.chance(0.7) && type !== 'slow' ? 0 : choice.int(20, 300) }),
    });
    /** @type {Map<string, { caught: number, missed: number }>} */
    const tally = new Map();
    stage.startRescuers();
    const { work: workers, upkeep: rescuers } = stage.isLong ? LANES_IF_LONG : LANES;
    const work = dealSteps(WORK_STEPS, workers, random);
    const upkeep = dealSteps(UPKEEP_STEPS, rescuers, random);
    const left = () => [...work, ...upkeep].flatMap((hand) => hand.left);
    const goesOn = () => stage.hasTimeFor(() => !stage.isLong || left().length === 0, OVERTIME_MS);
    await Promise.all([
      ...work.map((hand, index) =>
        freezeInTurn(stage, goesOn, hand, tally, random.fork(`work ${index}`), {
          args: [...common, '--max-jobs', String(MOST_JOBS), '--keep-alive', '2s'],
        }),
      ),
      ...upkeep.map((hand, index) =>
        freezeInTurn(stage, goesOn, hand, tally, random.fork(`upkeep ${index}`), {
          args: [...common, '--type', 'deaf', '--keep-alive', '0'],
          pauseMs: 500,
        }),
      ),
    ]);
    for (const [name, { caught, missed }] of tally) {
      if (missed > 2 && caught === 0) throw new Error(`no run came to the step "${name}" in ${missed} tries`);
    }
    const all = [...WORK_STEPS, ...UPKEEP_STEPS];
    stage.say(`runs were frozen at ${all.length - left().length} of ${all.length} steps`);
    if (stage.isLong && left().length > 0) throw new Late(`no run was frozen ${left().join(', nor ')}`);
    await stage.comeToRest();
  },
};

/**
 * @param {import('../stage/stage.mjs').Stage} stage
 * @param {() => boolean} goesOn
 * @param {import('../stage/lane.mjs').Hand<import('../stage/steps.mjs').Step>} hand
 * @param {Map<string, { caught: number, missed: number }>} tally
 * @param {import('../seeded.mjs').Seeded} random
 * @param {import('../stage/fleet.mjs').FleetOptions} options
 */
async function freezeInTurn(stage, goesOn, hand, tally, random, options) {
  const lane = await Lane.open(stage, options);
  while (goesOn()) {
    await pause(random.int(0, 300));
    const step = hand.next({ leftOnly: !stage.hasTime });
    const seen = tally.get(step.name) ?? { caught: 0, missed: 0 };
    tally.set(step.name, seen);
    const choice = {
      alsoChildren: random.chance(0.5),
      napMs: random.chance(NAPS) ? random.int(NAP_MS.from, NAP_MS.to) : undefined,
    };
    const unlock = step.locks === undefined ? undefined : await lock(stage, lane, step.locks);
    if (step.locks !== undefined && unlock === undefined) continue;
    const victim = await lane.catchAt(step, PATIENCE_MS);
    if (victim === undefined) {
      seen.missed++;
      await unlock?.();
    } else {
      seen.caught++;
      hand.met(step.name);
      await freeze(stage, lane, step, victim, { ...choice, unlock });
    }
  }
}

/**
 * Locks the row of the run that is live, or some of its jobs, if nobody else does just now.
 *
 * @param {import('../stage/stage.mjs').Stage} stage
 * @param {Lane} lane
 * @param {'run' | 'jobs'} what
 * @returns {Promise<(() => Promise<void>) | undefined>} what unlocks; undefined: no run is live, or it holds no such row, or
 *   another session has locked all of them
 */
async function lock(stage, { fleet }, what) {
  const [run] = fleet.live;
  const runId = run === undefined ? undefined : fleet.runIdOf(run.number);
  const held = runId === undefined ? [] : await stage.readHeld(runId);
  const table = what === 'run' ? 'background_job_runs' : 'background_jobs';
  const ids = what === 'run' ? [runId ?? 0] : [0, ...held.map(({ id }) => id)];
  const connection = await stage.server.connect();
  stage.atEnd(() => connection.destroy());
  await connection.query('START TRANSACTION');
  const [locked] = await connection.query('SELECT id FROM ?? WHERE id IN (?) FOR UPDATE SKIP LOCKED', [table, ids]);
  const unlock = async () => {
    await connection.query('ROLLBACK');
    connection.destroy();
  };
  if (/** @type {unknown[]} */ (locked).length > 0) return unlock;
  await unlock();
  return undefined;
}

/**
 * @param {import('../stage/stage.mjs').Stage} stage
 * @param {Lane} lane
 * @param {import('../stage/steps.mjs').Step} step
 * @param {{ number: number, pid: number, letGo: () => void }} victim
 * @param {{ alsoChildren: boolean, napMs: number | undefined, unlock: (() => Promise<void>) | undefined }} choice alsoChildren:
 *   the machine sleeps; else the process alone is stopped
 */
async function freeze(stage, { fleet }, step, { number, pid, letGo }, { alsoChildren, napMs, unlock }) {
  fleet.signal(number, 'SIGSTOP');
  const children = alsoChildren ? fleet.signalChildren(number, 'SIGSTOP') : [];
  await unlock?.();
  const wake = () => {
    letGo();
    fleet.signal(number, 'SIGCONT');
    for (const child of children) sendSignal(child, 'SIGCONT');
  };
  if (napMs !== undefined) {
    stage.faults.note(`a nap ${step.name}`);
    await pause(napMs);
    return wake();
  }
  const what = `process ${number}, stopped ${step.name}`;
  const runId = await until(`${what}: its run is there`, () => findRun(stage, pid));
  stage.faults.note(`SIGSTOP ${step.name}`, await stage.readHeld(runId));
  // Its answer waits in the socket; a statement that is held arrives once all is over.
  if (step.fate === 'hold answer') letGo();
  await until(`${what}: its run is closed and holds no job`, () => isOver(stage, runId), {
    deadlineMs: CLOSED_WITHIN_MS,
    everyMs: 100,
  });
  const before = await readTraces(stage, runId, number);
  const wokenAt = steadyNow();
  wake();
  await until(`${what}: it ends once it has woken`, () => fleet.live.every((run) => run.number !== number), {
    deadlineMs: ENDED_WITHIN_MS,
  });
  await fleet.ended(number);
  const after = await readTraces(stage, runId, number);
  const find = (/** @type {string} */ text) =>
    stage.findings.push({
      check: 'a woken run changes nothing',
      id: `process ${number}`,
      text: `${step.name}: ${text}`,
    });
  const gone = new Set(before.jobs.map((row) => JSON.stringify(row)));
  const written = after.jobs.filter((row) => !gone.has(JSON.stringify(row)));
  if (written.length > 0) find(`it wrote to jobs: ${JSON.stringify(written.slice(0, 3))}`);
  if (!isDeepStrictEqual(before.run, after.run))
    find(`it wrote to its run: ${JSON.stringify([before.run, after.run])}`);
  if (!isDeepStrictEqual(before.history, after.history)) find('it wrote to the history');
  if (!isDeepStrictEqual(before.effects, after.effects)) find('a function of it wrote an effect');
  // A child has no lease of its own: what it was sent before it was stopped it may begin.
  const begun = readJournal(stage.journalFile).filter(
    ({ what: event, pid: by, at }) => event === 'begin' && by === pid && at > wokenAt,
  );
  if (begun.length > 0) find(`it began ${begun.length} functions, of jobs ${begun.slice(0, 5).map(({ job }) => job)}`);
  const { code, signal } = fleet.all.find((run) => run.number === number) ?? {};
  const expected = before.run?.outcome === 'lost' ? LEASE_LOST : 0;
  if (code !== expected) find(`it ended with ${signal ?? code}, not ${expected}; its run is ${before.run?.outcome}`);
}

/**
 * @param {import('../stage/stage.mjs').Stage} stage
 * @param {number} pid
 * @returns {Promise<number | undefined>}
 */
async function findRun(stage, pid) {
  const [run] = await stage.database.execute(
    'SELECT id FROM background_job_runs WHERE pid = ? ORDER BY started_at DESC LIMIT 1',
    [pid],
  );
  return run?.id;
}

/**
 * @param {import('../stage/stage.mjs').Stage} stage
 * @param {number} runId
 */
async function isOver(stage, runId) {
  const [row] = await stage.database.execute(
    `SELECT 1 FROM background_job_runs r WHERE r.id = ? AND r.finished_at IS NOT NULL
     AND NOT EXISTS (SELECT 1 FROM background_jobs j WHERE j.run_id = r.id AND j.status = 'running')`,
    [runId],
  );
  return row !== undefined;
}

/**
 * All that a run has written, and that is still its own.
 *
 * @param {import('../stage/stage.mjs').Stage} stage
 * @param {number} runId
 * @param {number} number
 */
async function readTraces(stage, runId, number) {
  const { database } = stage;
  const [run] = await database.execute('SELECT * FROM background_job_runs WHERE id = ?', [runId]);
  return {
    run,
    jobs: /** @type {Record<string, unknown>[]} */ (
      await database.execute(
        `SELECT id, status, attempts, crashes, saves, last_error, processed_at FROM background_jobs WHERE run_id = ?`,
        [runId],
      )
    ),
    history: await database.execute(
      'SELECT id, job_id, attempt FROM background_job_errors WHERE run_id = ? ORDER BY id',
      [runId],
    ),
    effects: await database.execute('SELECT job_id, step FROM effects WHERE process = ? ORDER BY id', [number]),
  };
}
