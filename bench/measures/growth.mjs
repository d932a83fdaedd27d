import { listServers } from './databases.mjs';
import { drainState } from './drain-state.mjs';
import { closeStates, EMPTY, openStates, statesOf, withDueJobs } from './table-states.mjs';

const JOBS = 50_000;
const QUICK_JOBS = 5_000;

/**
 * How fast one run drains no-op jobs while the table holds something else, from the start of its process to its end.
 *
 * @type {import('../samples.mjs').Measure}
 */
export const measure = {
  name: 'growth',
  prepare: openStates,

  async run(context) {
    /** @type {import('../samples.mjs').Sample[]} */
    const samples = [];
    const jobs = context.quick ? QUICK_JOBS : JOBS;
    for (const { server } of listServers(context)) {
      for (const [variant, times] of await drainInTurn(server, jobs, context.round)) {
        const value = jobs / (sum(times) / times.length / 1000);
        samples.push({ measure: 'growth', contender: 'rowlock', server, variant, value, unit: 'jobs/s' });
      }
    }
    return samples;
  },

  close: closeStates,
};

/**
 * Each state in turn, another one first in each round. The empty table, which all are compared with, comes before and
 * after them, so that a machine that grows slower or faster meanwhile favours none.
 *
 * @param {string} server
 * @param {number} jobs
 * @param {number} round
 * @returns {Promise<Map<string, number[]>>} milliseconds of each drain, by state
 */
async function drainInTurn(server, jobs, round) {
  const states = await statesOf(server);
  const empty = states.filter(({ variant }) => variant === EMPTY);
  const others = states.filter(({ variant }) => variant !== EMPTY);
  const first = (round - 1) % others.length;
  /** @type {Map<string, number[]>} */
  const times = new Map();
  for (const state of [...empty, ...others.slice(first), ...others.slice(0, first), ...empty]) {
    const ms = await withDueJobs(state, jobs, () => drainState(state, jobs));
    times.set(state.variant, [...(times.get(state.variant) ?? []), ms]);
  }
  return times;
}

/** @param {readonly number[]} values */
const sum = (values) => values.reduce((total, value) => total + value, 0);
