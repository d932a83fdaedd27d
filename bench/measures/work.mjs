import { claimEverything } from './claim-everything.mjs';
import { listServers } from './databases.mjs';
import { drainState } from './drain-state.mjs';
import { countDuring } from './server-readings.mjs';
import { closeStates, openStates, statesOf, withDueJobs } from './table-states.mjs';

const JOBS = 20_000;
const QUICK_JOBS = 5_000;

/**
 * What a drain asks of the server, counted. Entries come out the same each time, so that one round is enough;
 * statements and commits depend a little on how many jobs have ended when the one before them returns.
 *
 * @type {import('../samples.mjs').Measure}
 */
export const measure = {
  name: 'work',
  prepare: openStates,

  async run(context) {
    if (context.round > 1) return [];
    const jobs = context.quick ? QUICK_JOBS : JOBS;
    /** @type {import('../samples.mjs').Sample[]} */
    const samples = [];
    for (const { server } of listServers(context)) {
      for (const state of await statesOf(server)) {
        for (const { what, value, unit } of [await countClaims(state, jobs), ...(await countRun(state, jobs))]) {
          samples.push({
            measure: 'work',
            contender: 'rowlock',
            server,
            variant: `${what}, ${state.variant}`,
            value,
            unit,
          });
        }
      }
    }
    return samples;
  },

  close: closeStates,
};

/** @typedef {{ what: string, value: number, unit: string }} Figure */

/**
 * Entries that the claims of a whole drain read, whatever way: lanes that are looked for, rows that are found, locked
 * and marked, and the looks that find nothing more.
 *
 * @param {import('./table-states.mjs').TableState} state
 * @param {number} jobs
 * @returns {Promise<Figure>}
 */
async function countClaims(state, jobs) {
  const { entriesRead = 0 } = await withDueJobs(state, jobs, () =>
    claimEverything(state.database.url, state.selection, (on, claim) =>
      countDuring(
        on,
        async () => {
          const claimed = await claim();
          if (claimed !== jobs) throw new Error(`${claimed} of ${jobs} jobs were claimed (${state.variant})`);
        },
        'SESSION',
      ),
    ),
  );
  return { what: 'entries read for each claimed job', value: entriesRead / jobs, unit: 'entries' };
}

/**
 * What one run asks for from its first statement to its last, all of its sessions together.
 *
 * @param {import('./table-states.mjs').TableState} state
 * @param {number} jobs
 * @returns {Promise<Figure[]>}
 */
async function countRun(state, jobs) {
  const { connection } = state.database;
  const counts = await withDueJobs(state, jobs, () => countDuring(connection, () => drainState(state, jobs)));
  /** @param {string} name */
  const perThousand = (name) => ((counts[name] ?? 0) * 1000) / jobs;
  return [
    { what: 'entries read by the whole run for each job', value: (counts['entriesRead'] ?? 0) / jobs, unit: 'entries' },
    { what: 'statements, each a round trip', value: perThousand('Questions'), unit: 'per 1,000 jobs' },
    { what: 'commits', value: perThousand('Com_commit'), unit: 'per 1,000 jobs' },
  ];
}
