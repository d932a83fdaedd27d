/**
 * What is to become of the jobs of one type of jobs.cjs, recurring.cjs or hostile-jobs.cjs.
 * @typedef {object} Kind
 * @property {'completed' | 'failed' | 'either'} ends how its rows end, whatever faults strike them
 * @property {readonly string[]} effects the rows of `effects` that a completed job has written, each once
 * @property {number} [failures] attempts that fail before the one that completes
 * @property {number} [mostExecutions] however often its workers die; whatever is not known to have ended then has failed
 * @property {boolean} [isUntold] the journal has nothing of its executions
 * @property {boolean} [returnsToken] its result has the token of its payload
 */

/** @type {Record<string, Kind>} */
export const KINDS = {
  noop: { ends: 'completed', effects: [] },
  result: { ends: 'completed', effects: [], returnsToken: true },
  slow: { ends: 'completed', effects: [] },
  deaf: { ends: 'completed', effects: [] },
  'effect.complete': { ends: 'completed', effects: ['complete'] },
  'effect.save': { ends: 'completed', effects: ['save 1', 'save 2', 'save 3'] },
  'save.large': { ends: 'either', effects: [] },
  retry: { ends: 'completed', effects: [], failures: 2 },
  keyed: { ends: 'completed', effects: [] },
  fail: { ends: 'failed', effects: [] },
  once: { ends: 'either', effects: [], mostExecutions: 1 },
  poison: { ends: 'failed', effects: [] },
  'tick.minute': { ends: 'completed', effects: [] },
  'tick.half': { ends: 'completed', effects: [] },
  'tick.three': { ends: 'completed', effects: [] },
  // It tells the journal nothing.
  program: { ends: 'completed', effects: [], isUntold: true },
};
