import type { Pool } from '../db/pool';
import { countEnded } from '../queue/health';
import { findQueuesWith } from '../queue/queues';
import { sayDuration } from '../words';
import { type Check, ok, warning } from './finding';

const MANY = 1_000_000;

/**
 * Claims do not feel them; backups, ALTER TABLE and the disk do.
 *
 * @param many from here on somebody should prune; counting ends here
 */
export const completedRows = (many = MANY): Check => ({
  name: 'completed-rows',
  async run({ pool, settings: { pruneMs } }) {
    const rows = await count(pool, many);
    const words = `${rows.toLocaleString('en-US')}${rows >= many ? ' or more' : ''}`;
    if (pruneMs !== undefined) return ok(`${words}, pruned after ${sayDuration(pruneMs)}`);
    if (rows < many) return ok(words);
    return warning(`${words} are kept, and nothing deletes them`, 'set ROWLOCK_PRUNE=14d, or call rowlock prune');
  },
});

async function count(pool: Pool, most: number): Promise<number> {
  let sum = 0;
  for (const queue of await findQueuesWith(pool, 'completed')) {
    if (sum >= most) break;
    sum += await countEnded(pool, 'completed', queue, most - sum);
  }
  return sum;
}
