import { createConnection } from 'mysql2/promise';
import { createDatabase, listServers } from './databases.mjs';
import { COMPLETED, insertRows } from './insert-rows.mjs';
import { waitForPurge } from './server-readings.mjs';

/**
 * What else the table holds while jobs are drained.
 * @typedef {object} TableState
 * @property {string} variant what the results call it
 * @property {string} server
 * @property {import('./databases.mjs').BenchDatabase} database kept over the rounds; what the drains complete stays, it is few
 * @property {string[]} options of the run that is to drain only the jobs of the measure
 * @property {{ queues: string[], types: string[] }} selection the same, as the claim is told of it
 * @property {boolean} isEmpty the table is emptied before each drain
 * @property {boolean} holdsSnapshot
 */

/** @typedef {Omit<TableState, 'server' | 'database' | 'variant'> & { fill?: (of: import('mysql2/promise').Connection) => Promise<void> }} Plan */

const ALL = { options: [], selection: { queues: [], types: [] }, isEmpty: false, holdsSnapshot: false };

export const EMPTY = 'empty table';
export const SNAPSHOT = 'snapshot held';

/** @param {number} count */
const say = (count) => (count >= 1_000_000 ? `${count / 1_000_000} million` : count.toLocaleString('en-US'));

/** @param {number} count */
const sayCompleted = (count) => `${say(count)} completed rows`;

/**
 * @param {boolean} quick
 * @param {boolean} isMain the server that has the 10 million rows: they take a minute and a half to make
 * @returns {Record<string, Plan>}
 */
function planStates(quick, isMain) {
  const completed = quick ? [100_000] : isMain ? [1_000_000, 10_000_000] : [1_000_000];
  const future = quick || !isMain ? 100_000 : 1_000_000;
  const others = quick ? 20_000 : 100_000;
  return {
    [EMPTY]: { ...ALL, isEmpty: true },
    [SNAPSHOT]: { ...ALL, isEmpty: true, holdsSnapshot: true },
    ...Object.fromEntries(
      completed.map((count) => [sayCompleted(count), { ...ALL, fill: (of) => insertRows(of, count, COMPLETED) }]),
    ),
    // One half in the lane of the jobs, the other in a lane that comes first.
    [`${say(future)} future rows`]: {
      ...ALL,
      fill: (of) => insertRows(of, future, { run_at: 'NOW(3) + INTERVAL 1 DAY', priority: '-(n % 2)' }),
    },
    [`${say(others)} rows of other types ahead`]: {
      ...ALL,
      options: ['--type', 'bench.noop'],
      selection: { queues: [], types: ['bench.noop'] },
      fill: (of) => insertRows(of, others, { job_type: "'bench.other'", run_at: 'NOW(3) - INTERVAL 1 HOUR' }),
    },
    [`${say(others)} rows of other queues ahead`]: {
      ...ALL,
      options: ['--queue', 'default'],
      selection: { queues: ['default'], types: [] },
      fill: (of) => insertRows(of, others, { queue: "CONCAT('another-', n % 10)", run_at: 'NOW(3) - INTERVAL 1 HOUR' }),
    },
  };
}

/** @type {Promise<TableState[]> | undefined} */
let open;
let users = 0;

/**
 * The states of all servers, made once for whoever measures them; each user closes them in the end.
 *
 * @param {import('../samples.mjs').Context} context
 */
export async function openStates(context) {
  users++;
  open ??= makeStates(context);
  await open;
}

/** The states of a server that are open. @param {string} server */
export async function statesOf(server) {
  return ((await open) ?? []).filter((state) => state.server === server);
}

/** The last user drops the databases. */
export async function closeStates() {
  users--;
  if (users > 0) return;
  const states = await open?.catch(() => []);
  open = undefined;
  await dropAll(states ?? []);
}

/** @param {TableState[]} states */
async function dropAll(states) {
  for (const { database } of states) await database.drop();
}

/**
 * @param {import('../samples.mjs').Context} context
 * @returns {Promise<TableState[]>}
 */
async function makeStates(context) {
  /** @type {TableState[]} */
  const states = [];
  try {
    for (const { server, url } of listServers(context)) {
      for (const [variant, { fill, ...plan }] of Object.entries(planStates(context.quick, server === 'mariadb'))) {
        const database = await createDatabase(url);
        states.push({ ...plan, variant, server, database });
        const started = performance.now();
        await fill?.(database.connection);
        if (fill) context.log(`${server}: made ${variant} in ${((performance.now() - started) / 1000).toFixed(1)} s`);
      }
    }
    return states;
  } catch (error) {
    await dropAll(states);
    throw error;
  }
}

/**
 * Puts due jobs into the state, with nothing left to purge, and does the work; with its snapshot held, if it has one.
 *
 * @template T
 * @param {TableState} state
 * @param {number} jobs
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withDueJobs(state, jobs, work) {
  const { connection } = state.database;
  if (state.isEmpty) await connection.query('TRUNCATE TABLE background_jobs');
  await insertRows(connection, jobs);
  await waitForPurge(connection);
  if (!state.holdsSnapshot) return work();
  // As a dump has it; whatever is claimed and completed under it can't be purged.
  const dump = await createConnection({ uri: state.database.url });
  try {
    await dump.query('SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ');
    await dump.query('START TRANSACTION WITH CONSISTENT SNAPSHOT');
    await dump.query('SELECT COUNT(*) FROM background_jobs WHERE id = 0');
    return await work();
  } finally {
    await dump.end();
  }
}
