import { select } from '../db/statements';
import { sayDuration } from '../words';
import { type Check, ok, unknown, warning } from './finding';

const LONG_SECONDS = 600;

/** An old snapshot stops purge, so that every claim walks over what was claimed before it; its locks hold up others. */
export const openTransactions: Check = {
  name: 'open-transactions',
  whenDenied: unknown('this user may not see transactions', 'GRANT PROCESS ON *.* to it, to know'),
  async run({ pool }) {
    const [oldest] = await select<{ session: number; seconds: number }>(pool, 'find_oldest_transaction');
    if (oldest === undefined) return ok('none');
    const age = sayDuration(oldest.seconds * 1_000);
    if (oldest.seconds < LONG_SECONDS) return ok(`the oldest is ${age} old`);
    return oldest.session === 0
      ? warning(`a prepared XA transaction is ${age} old: ${HARM}`, 'XA RECOVER lists it; commit it or roll it back')
      : warning(`session ${oldest.session} has a transaction open for ${age}: ${HARM}`, `KILL ${oldest.session}`);
  },
};

const HARM = 'its locks stay, and what is deleted or claimed is not purged';
