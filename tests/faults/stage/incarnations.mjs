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
 * @returns {{ executions: T[], former: T[] }} former: of a row that is gone, and whose id another one has by now
 */
export function splitFormer(executions, jobs) {
  const rowOf = new Map(jobs.map((job) => [job.id, job]));
  /** @param {T} execution */
  const isFormer = ({ job, token }) => token !== undefined && (rowOf.get(job)?.token ?? token) !== token;
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
