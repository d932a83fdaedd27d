/** @type {import('./check.mjs').Check} */
export const endedStaysEnded = {
  name: 'ended stays ended',
  says: 'a row that was seen to have completed or failed stays so: it is not pending, running or gone afterwards, and has not ended anew',
  find({ jobs, seenEnded, ledger, expect }) {
    const rowOf = new Map(jobs.map((job) => [job.id, job]));
    const isDeletionKnown = [...ledger.values()].some(({ fate }) => fate === 'deleted');
    return [...seenEnded].flatMap(([id, seen]) => {
      const row = rowOf.get(id);
      if (expect.touched.has(id)) return [];
      // Which id a deleted row had is no longer known; that none is missing is the affair of another check.
      if (row === undefined) return isDeletionKnown ? [] : [{ id, text: `it was ${say(seen)}, and is gone` }];
      return say(row) === say(seen) ? [] : [{ id, text: `it was ${say(seen)}, and is now ${say(row)}` }];
    });
  },
};

/** @param {import('./readings.mjs').Ended} row */
const say = ({ status, endedAt, runId, attempts }) => `${status} at ${endedAt} by run ${runId}, attempt ${attempts}`;
