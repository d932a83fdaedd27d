import { groupBy } from './readings.mjs';

/** The server's clock is read when a statement starts, the journal's line is written after that. */
const ROUNDING_MS = 2;

/** What a run of these outcomes did not settle, it has given back. */
const IN_ORDER = new Set(['finished', 'stopped', 'skipped']);

/**
 * An answer that got lost explains nothing: whoever settles looks the row up, and what an unanswered claim took goes back
 * before it is executed.
 *
 * @type {import('./check.mjs').Check}
 */
export const eachExecutionExplained = {
  name: 'each execution explained',
  says: 'a job runs again only after a retry, a crash or a release that was written, or once its run was over; and none begins after its row had ended or its own run was over',
  find(readings) {
    const { jobs, executions, expect } = readings;
    const runOf = new Map(readings.runs.map((run) => [run.id, run]));
    const rowOf = new Map(jobs.map((job) => [job.id, job]));
    const explains = countExplanations(readings);

    /** @param {Execution} execution */
    const overAt = ({ runId }) => (runId === undefined ? undefined : runOf.get(runId)?.finishedAt) ?? Number.NaN;
    // A suspect's process has no lease of its own: what it was sent before its run died, and it was stopped, it may begin.
    const isOrphan = (/** @type {Execution} */ execution) =>
      execution.beganAt > overAt(execution) && runOf.get(execution.runId ?? 0)?.pid !== execution.pid;

    const byJob = groupBy(
      executions.filter((one) => !expect.touched.has(one.job) && !isOrphan(one)),
      ({ job }) => job,
    );
    return [...byJob].flatMap(([id, list]) =>
      list.flatMap((execution, index) => {
        const { beganAt, runId } = execution;
        const isLate = (/** @type {number} */ time) => beganAt > time + ROUNDING_MS;
        const say = (/** @type {string} */ text) => ({ id, text: `${describe(execution)} ${text}` });
        const endedAt = rowOf.get(id)?.processedAt ?? Number.NaN;
        const found = isLate(endedAt)
          ? [say(`began ${(beganAt - endedAt).toFixed(0)} ms after its row had ended`)]
          : [];
        // The lease is one of the server's clock, and a run cannot know that somebody sets it.
        if (expect.isServerClockSet !== true && isLate(overAt(execution)))
          found.push(say(`began ${(beganAt - overAt(execution)).toFixed(0)} ms after its run was over`));
        const next = list[index + 1];
        const outcome = runOf.get(runId ?? 0)?.outcome ?? 'finished';
        const isOver = (/** @type {Execution} */ { beganAt: again }) =>
          !IN_ORDER.has(outcome) && !(again < overAt(execution) - ROUNDING_MS);
        if (next === undefined || isOver(next) || explains(execution)) return found;
        return [...found, say(`was followed by ${describe(next)}, and nothing says why`)];
      }),
    );
  },
};

/** @typedef {import('./readings.mjs').ExecutionReading} Execution */

/**
 * What was written of attempts that are not the last: each explains one execution.
 *
 * @param {import('./readings.mjs').Readings} readings
 * @returns {(execution: Execution) => boolean} takes an explanation of it, if there is one left
 */
function countExplanations({ errors, events, runs, processes }) {
  /** @type {Map<string, number>} */
  const left = new Map();
  const add = (/** @type {string} */ key, count = 1) => void left.set(key, (left.get(key) ?? 0) + count);
  for (const { job, runId, attempt } of errors) add(`run ${runId} wrote ${job} ${attempt}`);
  for (const { event, job, process, attempt } of events) add(`process ${process} told ${event} ${job} ${attempt}`);
  // A release is told after its COMMIT: not by a run that died, or was frozen, between the two. Nor where the answer to that
  // COMMIT got lost, and another run had claimed the job before it was looked up: then the job is said to be taken away.
  for (const { id, released } of runs) {
    const number = processes.find(({ runId }) => runId === id)?.number;
    const told = events.filter(({ event, process }) => event === 'job.released' && process === number);
    if (number !== undefined) add(`untold by run ${id}`, released - told.length);
  }
  const outcomeOf = new Map(runs.map(({ id, outcome }) => [id, outcome]));
  /** @param {readonly string[]} keys all of them */
  const take = (keys) => {
    if (!keys.every((key) => (left.get(key) ?? 0) > 0)) return false;
    for (const key of keys) add(key, -1);
    return true;
  };
  return ({ job, runId, attempt, process }) => {
    const outcome = outcomeOf.get(runId ?? 0) ?? 'finished';
    const untold = `untold by run ${runId}`;
    return (
      take([`run ${runId} wrote ${job} ${attempt}`]) ||
      take([`process ${process} told job.released ${job} ${attempt}`]) ||
      take([untold, `process ${process} told job.taken_away ${job} ${attempt}`]) ||
      (!IN_ORDER.has(outcome) && take([untold]))
    );
  };
}

/** @param {Execution} execution */
const describe = ({ attempt, process, pid }) => `attempt ${attempt} in process ${process} (pid ${pid})`;
