import { groupBy } from './readings.mjs';

/**
 * The server's clock is read when a statement starts, and the journal's line is written after that: what is known to be
 * over by the one may look a little late by the other.
 */
const ROUNDING_MS = 2;

/** @type {import('./check.mjs').Check} */
export const oneHolder = {
  name: 'one holder',
  says: 'no job runs in two places while both runs are live',
  find(readings) {
    const holdsUntil = endOfHold(readings);
    /**
     * One that began once its run was closed never held the job.
     *
     * @param {Execution} a
     * @param {Execution} b
     */
    const overlap = (a, b) => Math.min(holdsUntil(a), holdsUntil(b)) > Math.max(a.beganAt, b.beganAt) + ROUNDING_MS;
    return [...groupBy(readings.executions, ({ job }) => job)].flatMap(([id, executions]) =>
      // A row that was put back by hand while it ran is claimed anew before its run can notice.
      (readings.expect.touched.has(id) ? [] : executions).flatMap((later, index) => {
        const earlier = executions.slice(0, index).find((other) => overlap(other, later));
        return earlier === undefined ? [] : [{ id, text: describe(earlier, later) }];
      }),
    );
  },
};

/** @typedef {import('./readings.mjs').ExecutionReading} Execution */

/**
 * Until when an execution was the job's holder: until its function ended or was told to, its process ended, its run
 * was closed, or its outcome was written.
 *
 * @param {import('./readings.mjs').Readings} readings
 * @returns {(execution: Execution) => number}
 */
function endOfHold({ runs, processes, errors }) {
  const runOf = new Map(runs.map((run) => [run.id, run]));
  const processOf = new Map(processes.map((process) => [process.number, process]));
  const historyOf = groupBy(errors, ({ job }) => job);
  return ({ job, runId, attempt, process: number, beganAt, endedAt, abortedAt }) => {
    const written = historyOf
      .get(job)
      ?.filter((row) => row.runId === runId && row.attempt === attempt && row.at >= beganAt - 1);
    return Math.min(
      endedAt ?? Number.POSITIVE_INFINITY,
      abortedAt ?? Number.POSITIVE_INFINITY,
      processOf.get(number)?.endedAt ?? Number.POSITIVE_INFINITY,
      (runId === undefined ? undefined : runOf.get(runId)?.finishedAt) ?? Number.POSITIVE_INFINITY,
      ...(written ?? []).map(({ at }) => at),
    );
  };
}

/**
 * @param {Execution} a
 * @param {Execution} b
 */
const describe = (a, b) =>
  `attempt ${a.attempt} in process ${a.process} (pid ${a.pid}) was not over when attempt ${b.attempt} began in process ${b.process} (pid ${b.pid})`;
