import { groupBy, kindOf } from './readings.mjs';

/** The step that stands for ctx.complete: it and the job's completion are one transaction. */
const COMPLETE = 'complete';

/** @type {import('./check.mjs').Check} */
export const effectsOnce = {
  name: 'effects once',
  says: 'what ctx.complete and ctx.save write is there exactly once for a completed job, and at most once a step for any; what ctx.complete writes only with the job completed by that very attempt',
  find({ jobs, effects, executions, processes, expect }) {
    const doubled = [...groupBy(effects, ({ job, step }) => `${job} ${step}`).values()].flatMap(([first, ...more]) =>
      first === undefined || more.length === 0
        ? []
        : [
            {
              id: first.job,
              text: `"${first.step}" was written ${more.length + 1} times (attempts ${[first, ...more].map(({ attempt }) => attempt).join(', ')})`,
            },
          ],
    );
    const stepsOf = groupBy(effects, ({ job }) => job);
    const untouched = jobs.filter(({ id }) => !expect.touched.has(id));
    const missing = untouched.flatMap(({ id, type, status }) => {
      if (status !== 'completed') return [];
      const steps = new Set(stepsOf.get(id)?.map(({ step }) => step));
      const absent = (kindOf(expect, type)?.effects ?? []).filter((step) => !steps.has(step));
      return absent.length === 0 ? [] : [{ id, text: `${type}: completed without ${absent.join(', ')}` }];
    });
    // The runs of one `rowlock schedule` are one process of the fleet.
    const isOf = new Set([
      ...processes.map(({ number, runId }) => `${number} ${runId}`),
      ...executions.map(({ process, runId }) => `${process} ${runId}`),
    ]);
    const alone = untouched.flatMap(({ id, type, status, runId, attempts }) =>
      (stepsOf.get(id) ?? []).flatMap(({ step, process, attempt }) => {
        if (step !== COMPLETE || (status === 'completed' && attempt === attempts && isOf.has(`${process} ${runId}`)))
          return [];
        const by = `attempt ${attempt} in process ${process}`;
        return [
          {
            id,
            text: `${type}: "${step}" was written by ${by}, and it is ${status} by attempt ${attempts} of run ${runId}`,
          },
        ];
      }),
    );
    return [...doubled, ...missing, ...alone];
  },
};
