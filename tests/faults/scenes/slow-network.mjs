import { setTimeout as pause } from 'node:timers/promises';

/** One way. A heartbeat that begins needs some six answers, and a beat lasts a quarter of the lease of 3 s. */
const LONGEST_MS = 60;

/** Each change of pace holds for so long. */
const CHANGE_MS = { from: 300, to: 2_000 };

/** 20 s of --max-time, and what a run does after it, slowly. */
const LONGEST_RUN_MS = 60_000;

/** @type {import('./scene.mjs').Scene} */
export const scene = {
  name: 'slow-network',
  title: 'every packet takes up to 60 ms longer, and now and then all connections are cut',
  async run(stage) {
    stage.expect.ends.longestMs = LONGEST_RUN_MS;
    const random = stage.random.fork('pace');
    const proxy = await stage.openProxy();
    stage.startFleet({ url: stage.database.url('worker', proxy.url) });
    stage.startProducers({
      mix: { noop: 6, result: 2, slow: 1, 'effect.complete': 4, 'effect.save': 4, retry: 1 },
      jobsPerSecond: 120,
    });
    while (stage.hasTime) {
      const delayMs = random.int(1, LONGEST_MS);
      proxy.slow(delayMs);
      stage.faults.note('packets late', await stage.readHeld());
      await pause(random.int(CHANGE_MS.from, CHANGE_MS.to));
      if (!random.chance(0.2)) continue;
      const held = await stage.readHeld();
      if (proxy.cutAll() > 0) stage.faults.note('all connections cut', held);
    }
    proxy.heal();
    await stage.comeToRest();
  },
};
