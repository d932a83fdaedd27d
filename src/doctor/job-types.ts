import { loadRegistry } from '../jobs/load-registry';
import { sayName } from '../words';
import { type Check, fault, ok } from './finding';

const NAMED = 10;

/** What a run here would know. A module that cannot be loaded is a fault. */
export const jobTypes: Check = {
  name: 'job-types',
  async run({ settings }) {
    const registry = await loadRegistry(settings);
    const wanted = settings.run.type.find((type) => registry.get(type) === undefined);
    if (wanted !== undefined) {
      return fault(
        `ROWLOCK_TYPE names ${sayName(wanted)}, which no job function here has: each run exits with 64`,
        'correct it, or name the file of the type with --jobs or ROWLOCK_JOBS',
      );
    }
    const types = registry.types().map(({ type }) => sayName(type));
    if (types.length === 0) return ok('none is set up here (--jobs, SMTP_URL, REPORT_DIR)');
    return ok(`${types.slice(0, NAMED).join(', ')}${types.length > NAMED ? ` and ${types.length - NAMED} more` : ''}`);
  },
};
