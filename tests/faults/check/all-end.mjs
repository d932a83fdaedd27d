/** @type {import('./check.mjs').Check} */
export const allEnd = {
  name: 'every row ends',
  says: 'each row has completed or failed, as its type says; none is pending or running once all is quiet',
  find({ jobs, expect }) {
    return jobs.flatMap(({ id, type, status, cancelledAt, lastError }) => {
      if (status === 'pending' || status === 'running') return [{ id, text: `${type}: still ${status}` }];
      const ends = expect.kinds[type]?.ends ?? 'either';
      if (ends === 'either' || ends === status || cancelledAt !== null || expect.touched.has(id)) return [];
      return [{ id, text: `${type}: ${status}, and should have ${ends}: ${lastError?.slice(0, 120) ?? ''}` }];
    });
  },
};
