/** @type {import('./check.mjs').Check} */
export const ranAtLeastOnce = {
  name: 'ran at least once',
  says: 'a completed job was executed, and none was that is not in the table',
  find({ jobs, executions, ledger, expect }) {
    const ran = new Set(executions.map(({ job }) => job));
    const known = new Set(jobs.map(({ id }) => id));
    const wereSomeDeleted = [...ledger.values()].some(({ fate }) => fate === 'deleted');
    const never = jobs.filter(
      ({ id, type, status }) =>
        status === 'completed' && Object.hasOwn(expect.kinds, type) && !ran.has(id) && !expect.touched.has(id),
    );
    const strange = wereSomeDeleted ? [] : [...ran].filter((id) => !known.has(id));
    return [
      ...never.map(({ id, type }) => ({ id, text: `${type}: completed, and never executed` })),
      ...strange.map((id) => ({ id, text: 'executed, and in no row' })),
    ];
  },
};
