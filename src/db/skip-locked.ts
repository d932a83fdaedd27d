import { ConfigError } from '../errors';
import { isLockWaitTimeout, isSyntaxError } from './faults';
import type { Pool } from './pool';
import { select } from './statements';
import { transaction } from './transaction';

/** What {@link findSkipLockedFault} answers where somebody has deleted the row; it says nothing of the server. */
export const NO_CANARY = 'there is no row to try SKIP LOCKED on';

/** Refuses a server on which two workers would take the same row. */
export async function requireSkipLocked(pool: Pool): Promise<void> {
  const fault = await findSkipLockedFault(pool);
  if (fault === undefined) return;
  throw new ConfigError(`${fault}: two workers would run the same job; use MySQL 8.0.4 or MariaDB 10.6, or newer`);
}

/**
 * Whether SKIP LOCKED really skips, tried on one row by two sessions: some servers parse it and lock
 * nothing. Answers with what is wrong, or with undefined. Needs two connections of the pool.
 */
export async function findSkipLockedFault(pool: Pool): Promise<string | undefined> {
  return transaction(pool, async (holder) => {
    const held = await select(holder, 'lock_canary');
    if (held.length === 0) return NO_CANARY;
    try {
      const seen = await select(pool, 'find_unlocked_canary');
      return seen.length === 0 ? undefined : 'the server takes SKIP LOCKED but skips no locked row';
    } catch (error) {
      if (isLockWaitTimeout(error)) return 'the server takes SKIP LOCKED but waits for locked rows';
      if (isSyntaxError(error)) return 'the server does not know SKIP LOCKED';
      throw error;
    }
  });
}
