import { sayCount, sayName } from '../words';
import { type Check, ok, warning } from './finding';

/** Jobs that were claimed and put back, as the worker that claimed them has no such type. */
export const unknownTypes: Check = {
  name: 'unknown-types',
  async run({ health }) {
    const { putBack } = await health();
    if (putBack.length === 0) return ok('none');
    return warning(
      `no worker knows ${putBack.map(({ type, jobs }) => `${sayName(type)} (${sayCount(jobs)} ${jobs === 1 ? 'job' : 'jobs'})`).join(', ')}`,
      'deploy the type, or name its file with --jobs or ROWLOCK_JOBS',
    );
  },
};
