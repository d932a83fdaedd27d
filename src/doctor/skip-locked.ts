import { findSkipLockedFault, NO_CANARY } from '../db/skip-locked';
import { type Check, fault, ok, warning } from './finding';

/** Tried with two sessions and a row that nobody else uses. */
export const skipLocked: Check = {
  name: 'skip-locked',
  async run({ pool }) {
    const found = await findSkipLockedFault(pool);
    if (found === undefined) return ok('skips');
    if (found === NO_CANARY) {
      return warning(found, 'INSERT INTO background_job_migrations (version, applied_at) VALUES (0, NOW(3))');
    }
    return fault(`${found}: two workers would run the same job`, 'use MySQL 8.0.4 or MariaDB 10.6, or newer');
  },
};
