import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { PROJECT } from '../../../scripts/project.mjs';
import { expectHell, HELL_KINDS } from '../hell-kinds.mjs';
import { findHanging, watchDeaths } from '../stage/deaths.mjs';
import { Inserter } from '../stage/inserter.mjs';

const HELL = join(PROJECT, 'tests', 'faults', 'hell.cjs');

/**
 * A function that takes memory without end has this much of it, in MB, and its process ends: all memory of the machine would
 * otherwise be a matter of seconds. A suspect's process inherits it.
 */
const HEAP_MB = 160;

/** Functions from hell at the least, however short the scene is. */
const LEAST = 8;

const MAX_TIME_MS = 10_000;
/** Beyond --max-time: a timeout of hell.cjs and the grace, and a machine that others load. */
const SPARE_MS = 18_000;

/** @type {import('./scene.mjs').Scene} */
export const scene = {
  name: 'hell-functions',
  title: 'job functions that end, block, fill and spoil their process',
  async run(stage) {
    const random = stage.random.fork('hell');
    expectHell(stage.expect);
    const fleet = stage.startFleet({
      jobs: HELL,
      nodeArgs: [`--max-old-space-size=${HEAP_MB}`],
      args: ['--max-time', `${MAX_TIME_MS}ms`, '--concurrency', '4'],
    });
    const deaths = watchDeaths(stage, fleet);
    stage.startProducers({
      mix: { noop: 6, result: 2, slow: 1, 'effect.complete': 6, 'effect.save': 3, retry: 1 },
      jobsPerSecond: 80,
      payloadOf: (type, choice) => (type === 'slow' ? { ms: choice.int(50, 400) } : {}),
    });
    const inserter = await Inserter.open(stage);
    // Each comes once before any comes twice.
    /** @type {string[]} */
    let left = [];
    const wanted = Math.max(LEAST, Math.ceil(stage.seconds));
    for (let count = 0; count < wanted; count++) {
      if (left.length === 0) left = random.shuffle(Object.keys(HELL_KINDS));
      const type = left.pop() ?? '';
      await inserter.insert([{ type }]);
      stage.faults.note(type);
      await pause((random.int(500, 1_500) * stage.seconds) / wanted);
    }
    await stage.comeToRest();
    await deaths.stop();
    if (deaths.count() === 0) throw new Error('no run died: it has shown little');
    stage.say(`${deaths.count()} runs died`);
    findHanging(stage, fleet, MAX_TIME_MS + SPARE_MS);
    await findUnnamed(stage);
  },
};

/**
 * What ended its process says so in words: which run, on which host, by which signal.
 *
 * @param {import('../stage/stage.mjs').Stage} stage
 */
export async function findUnnamed(stage) {
  const named = new RegExp(
    `^crash 3 of 3: the process of run \\d+ on ${hostname().replaceAll('.', '\\.')} that ran it alone was ended (by SIG[A-Z]+|with exit code \\d+)$`,
  );
  const rows = await stage.database.execute(
    `SELECT id, job_type AS type, crashes, last_error AS error FROM background_jobs WHERE job_type LIKE 'dies.%'`,
  );
  for (const { id, type, crashes, error } of rows) {
    if (crashes === 3 && named.test(error)) continue;
    stage.findings.push({ check: 'crashes tell the history', id, text: `${type}: ${crashes} crashes, last: ${error}` });
  }
}
