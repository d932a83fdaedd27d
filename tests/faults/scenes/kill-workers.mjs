import { setTimeout as pause } from 'node:timers/promises';
import { dealSteps, Lane } from '../stage/lane.mjs';
import { UPKEEP_STEPS, WORK_STEPS } from '../stage/steps.mjs';
import { Late } from '../stage/until.mjs';

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

/** Runs that are killed so often do 5 to 15 in a second on two busy cores; what is left over is done in the end, at 100. */
const JOBS_PER_SECOND = 50;

/** For the step. The run goes on meanwhile. */
const PATIENCE_MS = 5_000;

/** Of the long form. */
const KILLS_AT_LEAST = 200;

/** The long form goes on for so much longer, at most, until so many were killed, and at each step. */
const OVERTIME_MS = 240_000;

/** @type {import('./scene.mjs').Scene} */
export const scene = {
  name: 'kill-workers',
  title: 'SIGKILL of random workers, at random moments and at every step',
  weight: 3,
  leastIfLong: { faults: KILLS_AT_LEAST },
  async run(stage) {
    const random = stage.random.fork('kills');
    stage.leaseMs = LEASE_MS;
    const args = ['--max-runs', '20', '--concurrency', '3'];
    stage.startProducers({
      mix: { noop: 6, result: 2, slow: 1, 'effect.complete': 4, 'effect.save': 3, retry: 1, fail: 0.2, once: 0.5 },
      jobsPerSecond: JOBS_PER_SECOND,
      payloadOf: (type, choice) => (type === 'slow' ? { ms: choice.int(50, 400) } : {}),
    });
    const work = dealSteps(WORK_STEPS, LANES.work, random);
    const upkeep = dealSteps(UPKEEP_STEPS, LANES.upkeep, random);
    const left = () => [...work, ...upkeep].flatMap((hand) => hand.left);
    const goesOn = () =>
      stage.hasTimeFor(
        () => !stage.isLong || (left().length === 0 && stage.faults.count >= KILLS_AT_LEAST),
        OVERTIME_MS,
      );
    await Promise.all([
      killAtAnyMoment(stage, goesOn, random.fork('any'), { size: LANES.any, args }),
      ...work.map((hand, index) =>
        killAtSteps(stage, goesOn, hand, random.fork(`work ${index}`), { args: [...args, '--max-jobs', '100'] }),
      ),
      ...upkeep.map((hand, index) =>
        killAtSteps(stage, goesOn, hand, random.fork(`upkeep ${index}`), {
          args: [...args, '--type', 'deaf', '--keep-alive', '0'],
          pauseMs: 500,
        }),
      ),
    ]);
    stage.say(`runs were killed at all steps but ${left().length}`);
    if (stage.isLong && left().length > 0) throw new Late(`no run was killed ${left().join(', nor ')}`);
    await stage.comeToRest();
  },
};

/**
 * @param {import('../stage/stage.mjs').Stage} stage
 * @param {() => boolean} goesOn
 * @param {import('../seeded.mjs').Seeded} random
 * @param {import('../stage/fleet.mjs').FleetOptions} options
 */
async function killAtAnyMoment(stage, goesOn, random, options) {
  const fleet = stage.startFleet(options);
  while (goesOn()) {
    // From a run's very start on: some die before they have recorded themselves.
    await pause(random.int(GAP_MS.from, GAP_MS.to));
    const victim = random.pick(fleet.live);
    if (victim !== undefined) await stage.killRun(fleet, victim.number, 'SIGKILL at any moment');
  }
}

/**
 * @param {import('../stage/stage.mjs').Stage} stage
 * @param {() => boolean} goesOn
 * @param {import('../stage/lane.mjs').Hand<import('../stage/steps.mjs').Step>} hand
 * @param {import('../seeded.mjs').Seeded} random
 * @param {import('../stage/fleet.mjs').FleetOptions} options
 */
async function killAtSteps(stage, goesOn, hand, random, options) {
  const lane = await Lane.open(stage, options);
  while (goesOn()) {
    await pause(random.int(GAP_MS.from, GAP_MS.to));
    const step = hand.next({ leftOnly: !stage.hasTime });
    // A packet that was under way arrives although its sender has died, or it does not.
    const arrives = random.chance(0.5);
    const victim = await lane.catchAt(step, PATIENCE_MS);
    if (victim === undefined) continue;
    if (arrives) victim.letGo();
    if (await stage.killRun(lane.fleet, victim.number, `SIGKILL ${step.name}`)) hand.met(step.name);
    victim.letGo();
  }
}
