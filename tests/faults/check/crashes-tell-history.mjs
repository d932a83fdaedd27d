import { crashOf, groupBy } from './readings.mjs';

/** A job that has ended its own process for the third time is failed. */
const MOST = 3;

/** @type {import('./check.mjs').Check} */
export const crashesTellHistory = {
  name: 'crashes tell the history',
  says: 'crashes is at least 1 for whatever a dead worker has begun, for no more rows than dead workers held, and else as the history says',
  find({ jobs, errors, executions, processes, runs, expect }) {
    const crashesOf = groupBy(
      errors.filter(({ error }) => crashOf(error) !== undefined),
      ({ job }) => job,
    );
    const diedHolding = findDeaths({ jobs, errors, executions, processes, runs });
    /** Rows that have crashes of which nothing is written: a dead worker's, which knows of none of them. @type {number[]} */
    const blamed = [];
    const wrong = jobs.flatMap(({ id, type, crashes }) => {
      if (expect.touched.has(id)) return [];
      const told = (crashesOf.get(id) ?? []).map(({ error }) => crashOf(error) ?? 0).sort((a, b) => a - b);
      const newest = told.at(-1);
      if (new Set(told).size !== told.length)
        return [{ id, text: `${type}: the crashes ${told.join(', ')} stand in its history` }];
      if (newest !== undefined && crashes !== newest)
        return [{ id, text: `${type}: ${crashes} crashes, and ${newest} by its history` }];
      if (newest === undefined && crashes > 1)
        return [{ id, text: `${type}: ${crashes} crashes, and none in its history` }];
      if (crashes > MOST) return [{ id, text: `${type}: ${crashes} crashes` }];
      if (crashes === 0 && diedHolding.has(id))
        return [{ id, text: `${type}: no crash, but process ${diedHolding.get(id)} died holding it` }];
      if (crashes > 0 && newest === undefined && expect.accused?.has(id) !== true) blamed.push(id);
      return [];
    });
    const left = countLeft(runs);
    if (blamed.length <= left) return wrong;
    const text = `${blamed.length} rows have crashes and none in their history, and runs that died left ${left} behind: ${blamed.slice(0, 10).join(', ')}`;
    return [...wrong, { id: 'all', text }];
  },
};

/**
 * Jobs that runs which did not end in order had claimed, and of which they wrote nothing more.
 *
 * @param {readonly import('./readings.mjs').RunRow[]} runs
 */
const countLeft = (runs) =>
  runs
    .filter(({ outcome }) => outcome === 'lost' || outcome === 'error')
    .reduce((sum, run) => sum + run.claimed - run.completed - run.retried - run.failed - run.released, 0);

/**
 * Jobs that were executing when the process of their run was killed, and whose outcome had not been written; with the
 * number of that process.
 *
 * @param {Pick<import('./readings.mjs').Readings, 'jobs' | 'errors' | 'executions' | 'processes' | 'runs'>} readings
 * @returns {Map<number, number>}
 */
function findDeaths({ jobs, errors, executions, processes }) {
  const processOf = new Map(processes.map((process) => [process.number, process]));
  const rowOf = new Map(jobs.map((job) => [job.id, job]));
  const written = new Set(errors.map(({ job, runId, attempt }) => `${job} ${runId} ${attempt}`));
  /** @type {Map<number, number>} */
  const deaths = new Map();
  for (const { job, runId, attempt, process: number, endedAt, abortedAt } of executions) {
    const process = processOf.get(number);
    const row = rowOf.get(job);
    if (process?.signal !== 'SIGKILL' || endedAt !== undefined || abortedAt !== undefined || row === undefined)
      continue;
    const isSettled = row.runId === runId && row.status === 'completed';
    if (!isSettled && !written.has(`${job} ${runId} ${attempt}`)) deaths.set(job, number);
  }
  return deaths;
}
