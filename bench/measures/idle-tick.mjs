import { join } from 'node:path';
import { findNode } from '../node.mjs';
import { median } from '../samples.mjs';
import { listServers, withDatabase } from './databases.mjs';
import { BENCH, CLI, environmentOf, runArguments } from './rowlock-process.mjs';
import { timeCommand } from './time-command.mjs';

const TIMES = 15;
const QUICK_TIMES = 5;

/** Each in turn, so that whatever else the machine does meets all of them. */
const COMMANDS = {
  rowlock: [CLI, ...runArguments()],
  'bare program': [join(BENCH, 'measures', 'bare-program.cjs')],
  'node alone': ['-e', '0'],
};

/**
 * What a tick costs that finds nothing: one `rowlock run` on an empty table, beside a program that loads the driver,
 * connects, asks one question and ends, and beside Node that does nothing.
 *
 * @type {import('../samples.mjs').Measure}
 */
export const measure = {
  name: 'idle-tick',
  async run(context) {
    const samples = [];
    for (const { server, url } of listServers(context)) {
      const times = context.quick ? QUICK_TIMES : TIMES;
      samples.push(...(await withDatabase(url, (database) => timeAll(server, environmentOf(database.url), times))));
    }
    return samples;
  },
};

/**
 * @param {string} server
 * @param {Record<string, string>} env
 * @param {number} times
 * @returns {Promise<import('../samples.mjs').Sample[]>} medians
 */
async function timeAll(server, env, times) {
  /** @type {Map<string, { wallMs: number, cpuMs: number }[]>} */
  const taken = new Map(Object.keys(COMMANDS).map((name) => [name, []]));
  // The first of each finds cold caches, and does not count.
  for (let pass = 0; pass <= times; pass++) {
    for (const [name, words] of Object.entries(COMMANDS)) {
      const time = await timeCommand([findNode(), ...words], env);
      if (pass > 0) taken.get(name)?.push(time);
    }
  }
  return [...taken].flatMap(([contender, all]) => [
    {
      measure: 'idle-tick',
      contender,
      server,
      variant: 'CPU',
      value: median(all.map(({ cpuMs }) => cpuMs)),
      unit: 'ms',
    },
    {
      measure: 'idle-tick',
      contender,
      server,
      variant: 'wall',
      value: median(all.map(({ wallMs }) => wallMs)),
      unit: 'ms',
    },
  ]);
}
