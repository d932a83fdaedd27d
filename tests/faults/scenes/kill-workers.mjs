import { setTimeout as pause } from 'node:timers/promises';
import { dealSteps, Lane } from '../stage/lane.mjs';
import { UPKEEP_STEPS, WORK_STEPS } from '../stage/steps.mjs';

/** Runs that are killed at any moment; runs that are killed at a step of theirs; and runs that rescue, and are killed at it. */
const LANES = { any: 2, work: 2, upkeep: 1 };

/**
 * Between two kills. At 50 to 800 ms a run lives for a second on average, less than the processes of eight suspects take to
 * start on two cores: no job is lost, but none ends either, and the scene would show little.
 */
const GAP_MS = { from: 50, to: 2_500 };

/**
 * On a machine with much to do a run that starts the processes of suspects renews its lease late. At 3 s, and 5, and with six
 * of them to a run, runs were lost that nobody had killed, and their suspects were the next ones'.
 */
const LEASE_MS = 6_000;

/** For the step. The run goes on meanwhile. */
const PATIENCE_MS = 5_000;

/** @type {import('./scene.mjs').Scene} */
export const scene = {
  name: 'kill-workers',
  title: 'SIGKILL of random workers, at random moments and at every step',
  weight: 2,
  async run(stage) {
    const random = stage.random.fork('kills');
    stage.leaseMs = LEASE_MS;
    const args = ['--max-runs', '20', '--concurrency', '3'];
    stage.startProducers({
      mix: { noop: 6, result: 2, slow: 1, 'effect.complete': 4, 'effect.save': 3, retry: 1, fail: 0.2, once: 0.5 },
      jobsPerSecond: 100,
      payloadOf: (type, choice) => (type === 'slow' ? { ms: choice.int(50, 400) } : {}),
    });
    const work = dealSteps(WORK_STEPS, LANES.work, random);
    const upkeep = dealSteps(UPKEEP_STEPS, LANES.upkeep, random);
    await Promise.all([
      killAtAnyMoment(stage, random.fork('any'), { size: LANES.any, args }),
      ...work.map((next, index) =>
        killAtSteps(stage, next, random.fork(`work ${index}`), { args: [...args, '--max-jobs', '100'] }),
      ),
      ...upkeep.map((next, index) =>
        killAtSteps(stage, next, random.fork(`upkeep ${index}`), {
          args: [...args, '--type', 'deaf', '--keep-alive', '0'],
          pauseMs: 500,
        }),
      ),
    ]);
    await stage.comeToRest();
  },
};

/**
 * @param {import('../stage/stage.mjs').Stage} stage
 * @param {import('../seeded.mjs').Seeded} random
 * @param {import('../stage/fleet.mjs').FleetOptions} options
 */
async function killAtAnyMoment(stage, random, options) {
  const fleet = stage.startFleet(options);
  while (stage.hasTime) {
    // From a run's very start on: some die before they have recorded themselves.
    await pause(random.int(GAP_MS.from, GAP_MS.to));
    const victim = random.pick(fleet.live);
    if (victim !== undefined) await kill(stage, fleet, victim.number, 'SIGKILL at any moment');
  }
}

/**
 * @param {import('../stage/stage.mjs').Stage} stage
 * @param {() => import('../stage/steps.mjs').Step} next
 * @param {import('../seeded.mjs').Seeded} random
 * @param {import('../stage/fleet.mjs').FleetOptions} options
 */
async function killAtSteps(stage, next, random, options) {
  const lane = await Lane.open(stage, options);
  while (stage.hasTime) {
    await pause(random.int(GAP_MS.from, GAP_MS.to));
    const step = next();
    // A packet that was under way arrives although its sender has died, or it does not.
    const arrives = random.chance(0.5);
    const victim = await lane.catchAt(step, PATIENCE_MS);
    if (victim === undefined) continue;
    if (arrives) victim.letGo();
    await kill(stage, lane.fleet, victim.number, `SIGKILL ${step.name}`);
    victim.letGo();
  }
}

/**
 * @param {import('../stage/stage.mjs').Stage} stage
 * @param {import('../stage/fleet.mjs').Fleet} fleet
 * @param {number} number
 * @param {string} what
 */
async function kill(stage, fleet, number, what) {
  if (!fleet.signal(number, 'SIGKILL')) return;
  await fleet.ended(number);
  const runId = fleet.runIdOf(number);
  stage.faults.note(what, runId === undefined ? [] : await stage.readHeld(runId));
}
