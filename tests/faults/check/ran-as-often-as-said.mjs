import { groupBy, kindOf } from './readings.mjs';

/** What a job that may begin but once fails with, once nobody knows how it has ended. */
const MAY_HAVE_RUN = /; may have run$/;

/** @type {import('./check.mjs').Check} */
export const ranAsOftenAsSaid = {
  name: 'ran as often as said',
  says: 'a completed job was executed by the attempt that it names, after as many failures as its type has; one that may begin but once did, and failed only with a worker; none was executed that is not in the table',
  find({ jobs, runs, executions, former, ledger, expect }) {
    const outcomeOf = new Map(runs.map(({ id, outcome }) => [id, outcome]));
    const executionsOf = groupBy(executions, ({ job }) => job);
    const wrong = jobs.flatMap((row) => {
      const { id, type, status, attempts, crashes, runId, lastError } = row;
      const kind = kindOf(expect, type);
      if (kind === undefined || kind.isUntold === true || expect.touched.has(id)) return [];
      const { failures, mostExecutions } = kind;
      const ran = executionsOf.get(id) ?? [];
      /** @type {string[]} */
      const texts = [];
      if (status === 'completed' && !ran.some((one) => one.runId === runId && one.attempt === attempts))
        texts.push(
          ran.length === 0
            ? 'completed, and never executed'
            : `completed by attempt ${attempts} of run ${runId}, which has not executed it`,
        );
      if (status === 'completed' && failures !== undefined && attempts !== failures + 1)
        texts.push(`completed at attempt ${attempts}, and was to fail ${failures} times`);
      if (mostExecutions !== undefined && ran.length > mostExecutions)
        texts.push(`executed ${ran.length} times, and may begin ${mostExecutions} times at most`);
      const wasLost = crashes > 0 || !['finished', 'skipped'].includes(outcomeOf.get(runId ?? 0) ?? 'finished');
      if (mostExecutions !== undefined && status === 'failed' && !(wasLost && MAY_HAVE_RUN.test(lastError ?? '')))
        texts.push(`failed, and no worker was lost with it: ${lastError?.slice(0, 120) ?? ''}`);
      return texts.map((text) => ({ id, text: `${type}: ${text}` }));
    });
    const known = new Set(jobs.map(({ id }) => id));
    // Of a row that was deleted it is known which one it was, by its token.
    const strange = [...executions.filter(({ job }) => !known.has(job)), ...former].filter(
      ({ token }) => token === undefined || ledger.get(token)?.fate !== 'deleted',
    );
    const ids = new Set(strange.map(({ job }) => job));
    return [...wrong, ...[...ids].map((id) => ({ id, text: 'executed, and in no row' }))];
  },
};
