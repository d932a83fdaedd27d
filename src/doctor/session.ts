import { type Check, fault, ok } from './finding';

/** What each session sets must be there when the next statement comes: a proxy that shares sessions may drop it. */
export const session: Check = {
  name: 'session',
  async run({ variables }) {
    const { session: of } = await variables();
    const isolation = of('transaction_isolation') ?? of('tx_isolation');
    const lost = [
      ...(isolation === 'READ-COMMITTED' ? [] : [`the isolation is ${isolation}, not READ-COMMITTED`]),
      ...(of('time_zone') === '+00:00' ? [] : [`the time zone is ${of('time_zone')}, not +00:00`]),
      ...(of('sql_mode')?.includes('STRICT_TRANS_TABLES') ? [] : ['the SQL mode is not strict']),
    ];
    if (lost.length === 0) return ok('READ COMMITTED, UTC, strict');
    return fault(
      `what a session sets does not last: ${lost.join('; ')}`,
      'go to the server directly, or let the proxy keep a session for each client',
    );
  },
};
