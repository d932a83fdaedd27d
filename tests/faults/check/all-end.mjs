import { kindOf } from './readings.mjs';

/** @type {import('./check.mjs').Check} */
export const allEnd = {
  name: 'every row ends',
  says: 'each row has completed or failed, as its type says; none is pending or running once all is quiet, and none is cancelled but by somebody',
  find({ jobs, expect }) {
    return jobs.flatMap(({ id, type, status, cancelledAt, lastError }) => {
      if (status === 'pending' || status === 'running') return [{ id, text: `${type}: still ${status}` }];
      if (expect.touched.has(id)) return [];
      if (cancelledAt !== null) return [{ id, text: `${type}: cancelled, and by nobody` }];
      const ends = kindOf(expect, type)?.ends;
      if (ends === undefined) return [{ id, text: `${type}: ${status}, and nobody has said what is to become of it` }];
      if (ends === 'either' || ends === status) return [];
      return [{ id, text: `${type}: ${status}, and should have ${ends}: ${lastError?.slice(0, 120) ?? ''}` }];
    });
  },
};
