import { join } from 'node:path';
import { PROJECT } from '../../../scripts/project.mjs';
import { expectHell } from '../hell-kinds.mjs';
import { steadyNow } from '../stage/clock.mjs';
import { watchDeaths } from '../stage/deaths.mjs';
import { Inserter } from '../stage/inserter.mjs';
import { findUnnamed } from './hell-functions.mjs';

const HELL = join(PROJECT, 'tests', 'faults', 'hell.cjs');

/** Those that end their process at once. */
const POISONS = ['dies.kill', 'dies.abort', 'dies.segfault', 'dies.exit'];

const SIZES = {
  short: { poisons: 4, innocents: 800 },
  long: { poisons: 100, innocents: 10_000 },
};

/** @type {import('./scene.mjs').Scene} */
export const scene = {
  name: 'poison-rows',
  title: 'a hundred poison rows at once among ten thousand innocent ones',
  async run(stage) {
    const random = stage.random.fork('poison');
    expectHell(stage.expect);
    const { poisons, innocents } = stage.isLong ? SIZES.long : SIZES.short;
    const inserter = await Inserter.open(stage);
    await inserter.insert(
      random.shuffle([
        ...Array.from({ length: innocents }, () => ({ type: 'effect.complete' })),
        ...Array.from({ length: poisons }, (_, index) => ({ type: POISONS[index % POISONS.length] ?? '' })),
      ]),
    );
    const began = steadyNow();
    const fleet = stage.startFleet({ jobs: HELL });
    const deaths = watchDeaths(stage, fleet);
    stage.startProducers({ mix: { noop: 3, 'effect.complete': 2 }, jobsPerSecond: 20 });
    await stage.comeToRest();
    await deaths.stop();
    const seconds = ((steadyNow() - began) / 1000).toFixed(0);
    stage.say(
      `${innocents} rows and ${poisons} poison ones have ended after ${seconds} s; ${deaths.count()} runs died`,
    );
    if (deaths.count() === 0) throw new Error('no run died: it has shown little');
    await findUnnamed(stage);
  },
};
