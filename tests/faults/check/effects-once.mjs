import { groupBy } from './readings.mjs';

/** @type {import('./check.mjs').Check} */
export const effectsOnce = {
  name: 'effects once',
  says: 'what ctx.complete and ctx.save write is there exactly once for a completed job, and at most once a step for any',
  find({ jobs, effects, expect }) {
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
    const missing = jobs.flatMap(({ id, type, status }) => {
      if (status !== 'completed' || expect.touched.has(id)) return [];
      const steps = new Set(stepsOf.get(id)?.map(({ step }) => step));
      const absent = (expect.kinds[type]?.effects ?? []).filter((step) => !steps.has(step));
      return absent.length === 0 ? [] : [{ id, text: `${type}: completed without ${absent.join(', ')}` }];
    });
    return [...doubled, ...missing];
  },
};
