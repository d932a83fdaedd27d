import { setTimeout as pause } from 'node:timers/promises';
import { commitAfter } from '../stage/proxy.mjs';
import { Late } from '../stage/until.mjs';

/** The last statement before the COMMIT of a claim, of a save, and of what settles. */
const LAST = ['count_claimed', 'save_checkpoint', 'count_outcomes'];

/** A statement that comes by all the while is not seen for this long: then the scene goes on without it. */
const PATIENCE_MS = 5_000;

/** @type {import('./scene.mjs').Scene} */
export const scene = {
  name: 'cut-commits',
  title: 'the network is cut between COMMIT and its answer: of a claim, a save, a settle',
  async run(stage) {
    const random = stage.random.fork('cuts');
    const proxy = await stage.openProxy();
    stage.startFleet({ url: stage.database.url('worker', proxy.url) });
    stage.startProducers({
      mix: { noop: 6, result: 2, 'effect.complete': 4, 'effect.save': 4, retry: 1 },
      jobsPerSecond: 150,
    });
    while (stage.hasTime) {
      const name = random.pick(LAST) ?? '';
      const trap = proxy.trap(commitAfter(name), random.chance(0.5) ? 'cut after' : 'cut');
      const caught = await Promise.race([trap.caught, pause(PATIENCE_MS)]);
      trap.remove();
      if (caught === undefined) throw new Late(`no COMMIT after ${name} within ${PATIENCE_MS} ms`);
      stage.faults.note(`COMMIT after ${name} cut`, await stage.readHeld());
      await pause(random.int(20, 400));
    }
    proxy.heal();
    await stage.comeToRest();
  },
};
