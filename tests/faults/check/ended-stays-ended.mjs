/** @type {import('./check.mjs').Check} */
export const endedStaysEnded = {
  name: 'ended stays ended',
  says: 'a row that was seen to have completed or failed stays so: it is not pending, running or gone afterwards, and has not ended anew',
  find({ jobs, seenEnded, ledger, expect }) {
    const rowOf = new Map(jobs.map((job) => [job.id, job]));
    return seenEnded.flatMap(({ id, token, ...seen }) => {
      const row = rowOf.get(id);
      if (token !== null && expect.touchedTokens.has(token)) return [];
      // An id may be given anew, a token is not.
      if (row === undefined || row.token !== token) {
        const isDeleted = token !== null && ledger.get(token)?.fate === 'deleted';
        return isDeleted ? [] : [{ id, text: `it was ${say(seen)}, and is gone` }];
      }
      return say(row) === say(seen) ? [] : [{ id, text: `it was ${say(seen)}, and is now ${say(row)}` }];
    });
  },
};

/** @param {import('./readings.mjs').Ended} row */
const say = ({ status, endedAt, runId, attempts }) => `${status} at ${endedAt} by run ${runId}, attempt ${attempts}`;
