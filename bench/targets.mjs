import { pick } from './samples.mjs';

/**
 * What is to be reached. `compute` gives the figures of one round, from that round's samples alone.
 * @typedef {object} Target
 * @property {string} name
 * @property {Bound[]} bounds one for each figure that `compute` gives
 * @property {(samples: readonly Sample[], peers: readonly Peer[]) => (number | undefined)[]} compute undefined: its samples are
 *   not there; `peers` are those that take part
 */

/**
 * @typedef {object} Bound
 * @property {string} [of] which figure, where there are several
 * @property {'at least' | 'at most'} sense
 * @property {number} must
 * @property {number} aim
 * @property {string} [unit] default: a ratio
 * @property {string} [limitedBy] what was tried to reach it, and what limits it now
 */

/** @typedef {import('./samples.mjs').Sample} Sample */

/** @typedef {Pick<Sample, 'contender' | 'server'>} Peer */

/**
 * The ratio of two figures, or nothing if one of them is not there.
 *
 * @param {number | undefined} value
 * @param {number | undefined} base
 */
const ratio = (value, base) => (value === undefined || base === undefined ? undefined : value / base);

/**
 * The best of peers, or nothing if one of them is not there: it may have been the best.
 *
 * @param {readonly (number | undefined)[]} rates
 */
function bestOf(rates) {
  const there = rates.filter((rate) => rate !== undefined);
  return there.length === 0 || there.length < rates.length ? undefined : Math.max(...there);
}

/** @param {readonly Sample[]} samples */
const greatestOf = (samples) => (samples.length === 0 ? undefined : Math.max(...samples.map(({ value }) => value)));

const PROCESSES = ['one process', '4 processes'];

/**
 * Rowlock's drain against another's, with as many processes.
 *
 * @param {readonly Sample[]} samples
 * @param {(variant: string) => number | undefined} other
 */
const drains = (samples, other) =>
  PROCESSES.map((variant) =>
    ratio(pick(samples, { measure: 'drain', contender: 'rowlock', server: 'mariadb', variant }), other(variant)),
  );

/**
 * @param {number} must
 * @param {number} aim
 * @param {string[]} limits of one process, of four
 * @returns {Bound[]}
 */
const withProcesses = (must, aim, limits = []) =>
  PROCESSES.map((of, index) => ({ of, sense: 'at least', must, aim, limitedBy: limits[index] ?? '' }));

const SERVER_COST =
  'what a claim and a settle cost the server: 42 µs of its CPU a job, and the two cores are all that there is. Looking ' +
  'for the next rows while the last claim is marked: 8 % more with one run, a fifth less with four; batches of 1,800: 6 % more, and the memory. Neither was kept';

const SIDEQUEST =
  'Sidequest itself: it is some 50 times slower than the bare loop here, so that nothing on this server could be 100 times faster';

const WORKER_COST =
  'the worker: 15 µs of its own for a job that does nothing (a promise, a timer, an attempt), where the bare loop has none, on two cores that the server needs as well; and the start of a process, a fifteenth of the whole';

const INSERT_COST =
  'the server: 11 µs a row are its own, the rest is checking the jobs and writing the statement, while it waits. Four columns instead of seven, and each size reckoned once, were what paid';

const MANY_RUNS =
  'each run walks over what the others have claimed: an entry that awaits purge costs the server a look into the row, in all ' +
  'a fifth more for four runs. One run is faster than four: raise `--concurrency` before `--max-runs`';

/** @param {readonly Sample[]} samples @param {Partial<Sample>} wanted */
const drainOf = (samples, wanted) => pick(samples, { measure: 'drain', ...wanted });

/**
 * Rowlock's drain in a state of the table against the empty table.
 *
 * @param {readonly Sample[]} samples
 * @param {Sample | undefined} state
 */
const againstEmpty = (samples, state) =>
  ratio(state?.value, pick(samples, { measure: 'growth', server: 'mariadb', variant: 'empty table', unit: 'jobs/s' }));

/**
 * The state with the most completed rows.
 *
 * @param {readonly Sample[]} samples
 */
function longestTable(samples) {
  const states = samples.filter(
    ({ measure, server, variant, unit }) =>
      measure === 'growth' && server === 'mariadb' && unit === 'jobs/s' && variant.endsWith('completed rows'),
  );
  /** @param {Sample} sample */
  const rows = ({ variant }) =>
    Number.parseInt(variant.replaceAll(',', ''), 10) * (variant.includes('million') ? 1_000_000 : 1);
  return states.sort((a, b) => rows(b) - rows(a))[0];
}

/** @type {readonly Target[]} */
export const TARGETS = [
  {
    name: 'drain against the best of graphile-worker and pg-boss',
    bounds: withProcesses(1, 1.3, [SERVER_COST, MANY_RUNS]),
    compute: (samples) =>
      drains(samples, (variant) =>
        bestOf([
          drainOf(samples, { contender: 'graphile-worker', variant }),
          drainOf(samples, { contender: 'pg-boss', variant }),
        ]),
      ),
  },
  {
    name: 'drain against BullMQ (everysec)',
    bounds: withProcesses(2, 3, [SERVER_COST, MANY_RUNS]),
    compute: (samples) =>
      drains(samples, (variant) => drainOf(samples, { contender: 'bullmq', server: 'redis-everysec', variant })),
  },
  {
    name: 'drain against Sidequest',
    bounds: withProcesses(100, 200, [SIDEQUEST, SIDEQUEST]),
    compute: (samples) => drains(samples, (variant) => drainOf(samples, { contender: 'sidequest', variant })),
  },
  {
    name: 'drain against the bare loop',
    bounds: withProcesses(0.75, 0.9, [WORKER_COST, `${WORKER_COST}; four processes start four times`]),
    compute: (samples) =>
      drains(samples, (variant) => drainOf(samples, { contender: 'bare-loop', server: 'mariadb', variant })),
  },
  {
    name: 'bulk enqueue against the best peer',
    bounds: [{ sense: 'at least', must: 1.5, aim: 2, limitedBy: INSERT_COST }],
    compute: (samples, peers) => {
      const bulk = samples.filter(({ measure, variant }) => measure === 'enqueue' && variant === 'in bulk');
      const best = bestOf(peers.map((peer) => pick(bulk, peer)));
      return [ratio(pick(bulk, { contender: 'rowlock', server: 'mariadb' }), best)];
    },
  },
  {
    name: 'drain with the most completed rows against the empty table',
    bounds: [{ sense: 'at least', must: 0.8, aim: 0.95 }],
    compute: (samples) => [againstEmpty(samples, longestTable(samples))],
  },
  {
    name: 'drain with a snapshot held against the empty table',
    bounds: [{ sense: 'at least', must: 0.8, aim: 0.95 }],
    compute: (samples) => [
      againstEmpty(
        samples,
        samples.find(
          ({ measure, server, variant, unit }) =>
            measure === 'growth' && server === 'mariadb' && variant === 'snapshot held' && unit === 'jobs/s',
        ),
      ),
    ],
  },
  {
    name: 'entries read for each claimed job',
    bounds: [
      {
        of: 'in the worst of these states',
        sense: 'at most',
        must: 2,
        aim: 1.2,
        unit: 'entries',
        limitedBy:
          'SKIP LOCKED is for SELECT alone: a row is found and locked, then marked by its key. What is beyond two are a few seeks a claim',
      },
      {
        of: 'with `--type` and others ahead',
        sense: 'at most',
        must: 2,
        aim: 1.2,
        unit: 'entries',
        limitedBy:
          'a job is found without a lock, locked and marked: three; the rest is each walk over the other types, which no index leaves out. One with the type would cost every insert, claim and settle',
      },
    ],
    compute: (samples) =>
      [false, true].map((ofTypes) =>
        greatestOf(
          samples.filter(
            ({ measure, variant }) =>
              measure === 'work' &&
              variant.startsWith('entries read for each claimed job') &&
              variant.includes('of other types') === ofTypes,
          ),
        ),
      ),
  },
  {
    name: 'idle tick against the bare program',
    bounds: ['CPU', 'wall'].map((of) => ({ of, sense: 'at most', must: 1.6, aim: 1.25 })),
    compute: (samples) =>
      ['CPU', 'wall'].map((variant) =>
        ratio(
          pick(samples, { measure: 'idle-tick', contender: 'rowlock', server: 'mariadb', variant }),
          pick(samples, { measure: 'idle-tick', contender: 'bare program', server: 'mariadb', variant }),
        ),
      ),
  },
  {
    name: 'pick-up with keep-alive, idle machine',
    bounds: [
      { of: 'p50', sense: 'at most', must: 150, aim: 110, unit: 'ms' },
      { of: 'p99', sense: 'at most', must: 300, aim: 220, unit: 'ms' },
      { of: 'polls', sense: 'at most', must: 5, aim: 5, unit: 'a second' },
    ],
    compute: (samples) =>
      ['p50', 'p99', 'polls'].map((variant) =>
        pick(samples, { measure: 'pick-up', contender: 'rowlock', server: 'mariadb', variant }),
      ),
  },
  {
    name: 'memory over a million jobs',
    bounds: [
      { of: 'peak', sense: 'at most', must: 130, aim: 100, unit: 'MB' },
      // Flat: the second half takes no more than the first, but for what a collector of garbage leaves lying.
      { of: 'second half against the first', sense: 'at most', must: 1.1, aim: 1.05 },
    ],
    compute: (samples) => {
      const memory = samples.filter(({ measure }) => measure === 'memory');
      return [pick(memory, { variant: 'peak' }), pick(memory, { unit: '×' })];
    },
  },
  {
    name: 'jobs of 1 s: eight runs share 80, later than evenly shared',
    bounds: [{ sense: 'at most', must: 1, aim: 0.5, unit: 's' }],
    compute: (samples) => [
      greatestOf(
        samples.filter(
          ({ measure, variant }) => measure === 'fairness' && variant.endsWith('later than evenly shared'),
        ),
      ),
    ],
  },
];
