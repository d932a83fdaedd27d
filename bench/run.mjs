// npm run bench [-- --quick] [--only MEASURE,…] [--contenders NAME,…] [--rounds N]
//
// Starts every server that it needs, measures in rounds, and writes bench/RESULTS.md. With --quick, --only or
// --contenders the results go to standard output alone. The servers end with it, also when it is killed.
import { writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { readOptions, requireKnown } from '../scripts/options.mjs';
import { installIn, prepare } from '../scripts/prepare.mjs';
import { PROJECT } from '../scripts/project.mjs';
import { Refusal, runScript, say } from '../scripts/say.mjs';
import { NAMES, peersOf } from './contenders/list.mjs';
import { findNode } from './node.mjs';
import { toMarkdown } from './report.mjs';

const BENCH = join(PROJECT, 'bench');

/** In this order; each round goes through all of them. */
const MEASURES = ['drain', 'enqueue', 'idle-tick', 'pick-up', 'growth', 'memory', 'work', 'fairness'];

const ROUNDS = 3;

const OPTIONS = /** @type {const} */ ({
  quick: { type: 'boolean', default: false },
  only: { type: 'string', default: '' },
  contenders: { type: 'string', default: '' },
  rounds: { type: 'string' },
});

// Whatever still runs is ended on the way out, and each server by its guard.
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
  process.on(signal, () => process.exit(128 + constants.signals[signal]));
}

await runScript(async () => {
  const started = performance.now();
  const { quick, only, contenders, rounds } = readArguments();
  await prepare();
  await installIn('bench');
  const measures = await loadMeasures(only);
  // Only now: they load drivers that have just been installed.
  const { startServers } = await import('./servers/all.mjs');
  findNode(); // a refusal comes before the servers
  const servers = await startServers();
  try {
    /** @type {import('./samples.mjs').Context} */
    const context = { urls: servers.urls, quick, round: 0, contenders, log: say, fault: say };
    const { samples, faults } = await measureAll(measures, context, rounds);
    const minutes = (performance.now() - started) / 60_000;
    const peers = peersOf(context);
    const text = toMarkdown(samples, { servers: servers.all, quick, rounds, minutes, peers, faults });
    if (quick || only.length > 0 || contenders.length > 0) process.stdout.write(`${text}\n`);
    else writeFileSync(join(BENCH, 'RESULTS.md'), text);
    for (const fault of faults) say(fault);
    return faults.length === 0 ? 0 : 1;
  } finally {
    await servers.stop();
  }
});

function readArguments() {
  const values = readOptions(OPTIONS);
  /** @param {string} list */
  const split = (list) => list.split(',').filter((word) => word !== '');
  const only = split(values.only);
  const contenders = split(values.contenders);
  requireKnown('measure', only, MEASURES);
  requireKnown('contender', contenders, NAMES);
  const rounds = Number(values.rounds ?? (values.quick ? 1 : ROUNDS));
  if (!Number.isInteger(rounds) || rounds < 1) throw new Refusal(`--rounds ${values.rounds} is no number of rounds`);
  return { quick: values.quick, only, contenders, rounds };
}

/**
 * @param {readonly string[]} only
 * @returns {Promise<import('./samples.mjs').Measure[]>}
 */
async function loadMeasures(only) {
  const names = MEASURES.filter((name) => only.length === 0 || only.includes(name));
  return Promise.all(names.map(async (name) => (await import(`./measures/${name}.mjs`)).measure));
}

/**
 * Interleaved: all measures of a round before the next round. One that fails is told, and left out from then on.
 *
 * @param {readonly import('./samples.mjs').Measure[]} measures
 * @param {import('./samples.mjs').Context} context
 * @param {number} rounds
 */
async function measureAll(measures, context, rounds) {
  /** @type {import('./samples.mjs').RoundSample[]} */
  const samples = [];
  /** @type {string[]} */
  const faults = [];
  /** @type {Set<import('./samples.mjs').Measure>} */
  const failed = new Set();
  /** @param {string} text */
  const fault = (text) => faults.push(text);
  /**
   * @param {import('./samples.mjs').Measure} measure
   * @param {string} what
   * @param {() => Promise<unknown> | undefined} work
   */
  const attempt = async (measure, what, work) => {
    if (failed.has(measure)) return;
    const started = performance.now();
    try {
      await work();
    } catch (error) {
      failed.add(measure);
      faults.push(`${measure.name} failed (${what}): ${error instanceof Error ? error.stack : error}`);
    }
    say(`${measure.name}, ${what}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
  };
  for (let round = 1; round <= rounds; round++) {
    for (const measure of measures) {
      // Not before the others have had their first round: ten million rows keep a server busy for a while.
      if (round === 1 && measure.prepare) await attempt(measure, 'preparation', () => measure.prepare?.(context));
      await attempt(measure, `round ${round} of ${rounds}`, async () => {
        for (const sample of await measure.run({ ...context, fault, round })) samples.push({ ...sample, round });
      });
    }
  }
  for (const measure of measures) {
    try {
      await measure.close?.(context);
    } catch (error) {
      faults.push(`${measure.name} failed (close): ${error instanceof Error ? error.stack : error}`);
    }
  }
  return { samples, faults };
}
