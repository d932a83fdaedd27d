/** @type {import('./check.mjs').Check} */
export const endedStaysEnded = {
  name: 'ended stays ended',
  says: 'a row that was seen to have completed or failed is never pending, running or gone afterwards',
  find({ jobs, seenEnded, ledger, expect }) {
    const rowOf = new Map(jobs.map((job) => [job.id, job]));
    const isDeletionKnown = [...ledger.values()].some(({ fate }) => fate === 'deleted');
    return [...seenEnded].flatMap((id) => {
      const row = rowOf.get(id);
      if (expect.touched.has(id)) return [];
      // Which id a deleted row had is no longer known; that none is missing is the affair of another check.
      if (row === undefined) return isDeletionKnown ? [] : [{ id, text: 'had ended, and is gone' }];
      return row.status === 'pending' || row.status === 'running'
        ? [{ id, text: `had ended, and is ${row.status}` }]
        : [];
    });
  },
};
