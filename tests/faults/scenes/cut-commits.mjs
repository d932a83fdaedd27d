import { setTimeout as pause } from 'node:timers/promises';
import { commitAfter, statement } from '../stage/proxy.mjs';
import { Late } from '../stage/until.mjs';

/** What is cut: the COMMIT of a claim, of a save, of what settles; and a heartbeat, which is its own transaction. */
const CUTS = {
  claim: commitAfter('count_claimed'),
  save: commitAfter('save_checkpoint'),
  settle: commitAfter('count_outcomes'),
  heartbeat: statement('renew_run'),
};

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
      const [name, match] = random.pick(Object.entries(CUTS)) ?? ['claim', CUTS.claim];
      const trap = proxy.trap(match, random.chance(0.5) ? 'cut after' : 'cut');
      const caught = await Promise.race([trap.caught, pause(PATIENCE_MS)]);
      trap.remove();
      if (caught === undefined) throw new Late(`no ${name} came by within ${PATIENCE_MS} ms`);
      stage.faults.note(`the answer to a ${name} cut`, await stage.readHeld());
      await pause(random.int(20, 400));
    }
    proxy.heal();
    await stage.comeToRest();
  },
};
