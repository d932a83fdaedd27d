import { commitAfter, statement } from './proxy.mjs';

/** @typedef {import('./proxy.mjs').Passing} Passing */

/**
 * Where a run can be struck: at a statement, before it has arrived or once it is done and its answer on the way.
 * @typedef {object} Step
 * @property {string} name
 * @property {(passing: Passing) => boolean} match
 * @property {'hold' | 'hold answer'} fate
 * @property {'run' | 'jobs'} [locks] what of the run another session locks meanwhile: the statement waits for it
 */

/**
 * Both moments of a statement.
 *
 * @param {string} name
 * @param {(passing: Passing) => boolean} match
 * @returns {Step[]}
 */
const aroundOf = (name, match) => [
  { name: `before ${name}`, match, fate: 'hold' },
  { name: `after ${name}`, match, fate: 'hold answer' },
];

/**
 * @param {string[]} names
 * @returns {(passing: Passing) => boolean}
 */
function anyOf(names) {
  const all = names.map(statement);
  return (passing) => all.some((matches) => matches(passing));
}

/**
 * ctx.complete settles within a transaction of its own, which locks the job first.
 *
 * @param {boolean} isOwn
 * @param {(passing: Passing) => boolean} match
 */
const within = (isOwn, match) => (/** @type {Passing} */ passing) =>
  match(passing) && passing.transaction.includes('lock_job') === isOwn;

const writesOutcome = anyOf(['complete_jobs', 'settle_jobs']);

/** What a run does with its jobs, in this order. @type {readonly Step[]} */
export const WORK_STEPS = [
  // Before it: the rows are locked by the SELECT.
  ...aroundOf('the mark of a claim', statement('mark_claimed')),
  ...aroundOf('the count of a claim', statement('count_claimed')),
  ...aroundOf('the COMMIT of a claim', commitAfter('count_claimed')),
  ...aroundOf('the lock of a save or complete', statement('lock_job')),
  ...aroundOf('the write of a save', statement('save_checkpoint')),
  ...aroundOf('the COMMIT of a save', commitAfter('save_checkpoint')),
  ...aroundOf('the write of a complete', within(true, writesOutcome)),
  ...aroundOf('the count of a complete', within(true, statement('count_outcomes'))),
  ...aroundOf('the COMMIT of a complete', within(true, commitAfter('count_outcomes'))),
  ...aroundOf('the write of a settle', within(false, writesOutcome)),
  ...aroundOf('the count of a settle', within(false, statement('count_outcomes'))),
  ...aroundOf('the COMMIT of a settle', within(false, commitAfter('count_outcomes'))),
  ...aroundOf('a heartbeat', statement('renew_run')),
  ...aroundOf('the close of its run', statement('close_run')),
  {
    name: 'at the row of its run, which another session locks',
    match: anyOf(['count_claimed', 'count_outcomes', 'lock_open_run', 'renew_run']),
    fate: 'hold answer',
    locks: 'run',
  },
  {
    name: 'at a job of its own, which another session locks',
    match: anyOf(['lock_job', 'complete_jobs', 'settle_jobs']),
    fate: 'hold answer',
    locks: 'jobs',
  },
];

/** What every run does before it takes a slot; a rescue needs a run that has died. @type {readonly Step[]} */
export const UPKEEP_STEPS = [
  { name: 'after the insert of its run', match: statement('insert_run'), fate: 'hold answer' },
  ...aroundOf('the close of dead runs', statement('close_expired_runs')),
  ...aroundOf('the COMMIT of that', commitAfter('close_expired_runs')),
  // Before it: they are found, and locked by nobody.
  ...aroundOf('the lock of orphans', statement('lock_running_jobs')),
  ...aroundOf('the write of a rescue', statement('rescue_jobs')),
  ...aroundOf('the COMMIT of a rescue', commitAfter('rescue_jobs')),
  ...aroundOf('the slot', statement('take_slot')),
];
