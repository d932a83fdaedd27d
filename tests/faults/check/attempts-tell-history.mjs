import { crashOf, groupBy } from './readings.mjs';

/** @type {import('./check.mjs').Check} */
export const attemptsTellHistory = {
  name: 'attempts tell the history',
  says: 'the attempts that failed are 1, 2, 3 …, each once in the history; a completed job has one attempt more',
  find({ jobs, errors, expect }) {
    const historyOf = groupBy(errors, ({ job }) => job);
    return jobs.flatMap(({ id, type, status, attempts, crashes }) => {
      if (expect.touched.has(id)) return [];
      const charged = (historyOf.get(id) ?? []).filter(({ error }) => crashOf(error) === undefined);
      const numbers = charged.map(({ attempt }) => attempt).sort((a, b) => a - b);
      const expected = numbers.length + (status === 'completed' || status === 'running' ? 1 : 0);
      const isWhole = numbers.every((number, index) => number === index + 1);
      if (isWhole && attempts === expected) return [];
      return [
        {
          id,
          text: `${type}: ${status} with ${attempts} attempts, ${crashes} crashes; failed attempts ${numbers.join(', ') || 'none'}`,
        },
      ];
    });
  },
};
