import { loadRegistry } from '../commands/job-types';
import { sayName } from '../commands/words';
import { type Check, ok } from './finding';

const NAMED = 10;

/** What a run here would know. A module that cannot be loaded is a fault. */
export const jobTypes: Check = {
  name: 'job-types',
  async run({ settings }) {
    const types = (await loadRegistry(settings)).types().map(({ type }) => sayName(type));
    if (types.length === 0) return ok('none is set up here (--jobs, SMTP_URL, REPORT_DIR)');
    return ok(`${types.slice(0, NAMED).join(', ')}${types.length > NAMED ? ` and ${types.length - NAMED} more` : ''}`);
  },
};
