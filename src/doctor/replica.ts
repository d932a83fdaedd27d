import { isSyntaxError } from '../db/faults';
import type { Queryable } from '../db/pool';
import { select } from '../db/statements';
import { type Check, ok, unknown, warning } from './finding';

/** Two workers, one on the primary and one on its replica, would run the same job. */
export const replica: Check = {
  name: 'replica',
  whenDenied: unknown(
    'this user may not see whether the server replicates another',
    'GRANT REPLICATION CLIENT (MariaDB: SLAVE MONITOR) ON *.* to it, to know',
  ),
  async run({ pool }) {
    const sources = await showSources(pool);
    if (sources.length === 0) return ok('no');
    return warning(
      'the server replicates another one: a job may be run here and there',
      'let DATABASE_URL name the primary',
    );
  },
};

/** MySQL before 8.0.22 knows only the old words, and 8.4 only the new ones. */
async function showSources(on: Queryable): Promise<unknown[]> {
  try {
    return await select(on, 'show_replica_status');
  } catch (error) {
    if (!isSyntaxError(error)) throw error;
    return select(on, 'show_slave_status');
  }
}
