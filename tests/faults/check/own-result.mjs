import { kindOf } from './readings.mjs';

/** @type {import('./check.mjs').Check} */
export const ownResult = {
  name: 'own result',
  says: 'a job that gives back its token has completed with its own token; it has no result only where the log says that it was dropped',
  find({ jobs, processes, events, expect }) {
    const numberOf = new Map(processes.map(({ runId, number }) => [runId, number]));
    const dropped = new Set(
      events
        .filter(({ event }) => event === 'job.result_dropped')
        .map(({ job, attempt, process }) => `${job} ${attempt} ${process}`),
    );
    return jobs.flatMap(({ id, type, token, status, attempts, runId, hasResult, resultToken }) => {
      if (status !== 'completed' || kindOf(expect, type)?.returnsToken !== true || expect.touched.has(id)) return [];
      if (hasResult)
        return resultToken === token ? [] : [{ id, text: `${type}: its result is that of ${resultToken}` }];
      const isDropped = runId !== null && dropped.has(`${id} ${attempts} ${numberOf.get(runId)}`);
      return isDropped ? [] : [{ id, text: `${type}: completed without its result` }];
    });
  },
};
