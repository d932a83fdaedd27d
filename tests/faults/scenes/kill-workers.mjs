import { setTimeout as pause } from 'node:timers/promises';

const FLEET = 4;

/**
 * Between two kills. At 50 to 800 ms a run lives for a second on average, less than the processes of eight suspects take to
 * start on two cores: no job is lost, but none ends either, and the scene would show little.
 */
const GAP_MS = { from: 50, to: 2_500 };

/** @type {import('./scene.mjs').Scene} */
export const scene = {
  name: 'kill-workers',
  title: 'SIGKILL of random workers',
  async run(stage) {
    const random = stage.random.fork('kills');
    const fleet = stage.startFleet({ size: FLEET });
    stage.startProducers({
      mix: { noop: 6, result: 2, slow: 1, 'effect.complete': 4, 'effect.save': 3, retry: 1, fail: 0.2, once: 0.5 },
      jobsPerSecond: 150,
      payloadOf: (type, choice) => (type === 'slow' ? { ms: choice.int(50, 400) } : {}),
    });
    while (stage.hasTime) {
      // From a run's very start on: some die before they have recorded themselves.
      await pause(random.int(GAP_MS.from, GAP_MS.to));
      const victim = random.pick(fleet.live);
      if (victim === undefined) continue;
      if (!fleet.signal(victim.number, 'SIGKILL')) continue;
      await fleet.ended(victim.number);
      const runId = fleet.runIdOf(victim.number);
      stage.faults.note('SIGKILL of a worker', runId === undefined ? [] : await stage.readHeld(runId));
    }
    await stage.comeToRest();
  },
};
