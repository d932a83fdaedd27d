/**
 * @typedef {import('../check/readings.mjs').Readings} Readings
 */

/**
 * Where rows are deleted, and TRUNCATE gives their ids anew, an id alone does not say which row was meant: the token of its
 * payload does.
 *
 * @template {import('./journal.mjs').Execution} T
 * @param {readonly T[]} executions
 * @param {Readings['jobs']} jobs
 * @returns {{ executions: T[], former: T[] }} former: of a row that is gone, and whose id another one has, or had
 */
export function splitFormer(executions, jobs) {
  /** Of its row, or, where that is gone, of the last that had this id: tokens are given in order. @type {Map<number, number>} */
  const tokens = new Map();
  for (const { job, token } of executions)
    if (token !== undefined) tokens.set(job, Math.max(token, tokens.get(job) ?? token));
  for (const { id, token } of jobs) if (token !== null && token !== undefined) tokens.set(id, token);
  /** @param {T} execution */
  const isFormer = ({ job, token }) => token !== undefined && tokens.get(job) !== token;
  return { executions: executions.filter((one) => !isFormer(one)), former: executions.filter(isFormer) };
}

/**
 * The ids under which rows of these tokens are, or were, if no other row has them by now.
 *
 * @param {ReadonlySet<number>} tokens
 * @param {Readings['jobs']} jobs
 * @param {readonly import('./journal.mjs').Execution[]} executions none of a former row
 * @returns {Set<number>}
 */
export function idsOf(tokens, jobs, executions) {
  const known = [...jobs, ...executions.map(({ job, token = null }) => ({ id: job, token }))];
  return new Set(known.filter(({ token }) => token !== null && tokens.has(token)).map(({ id }) => id));
}
