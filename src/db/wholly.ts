import type { CallerSession } from './caller';
import type { PoolConnection, Queryable } from './pool';
import { insert } from './statements';
import { transaction } from './transaction';

/** Flags that the server sends along with each answer. */
const IN_TRANSACTION = 1;
const AUTOCOMMIT = 2;

/**
 * Runs `body` as a whole: all of it is done, or nothing. On a pool that is a transaction of its own, tried once. On a
 * connection it is a part of the transaction that the caller has open there, which goes on whatever becomes of
 * the part; without one, a transaction.
 */
export async function wholly<T>(on: CallerSession, body: (tx: PoolConnection) => Promise<T>): Promise<T> {
  if (on.pool !== undefined) return transaction(on.pool, body, { tries: 1 });
  const connection = on as unknown as PoolConnection;
  const bounds = (await isInTransaction(connection)) ? WITHIN : ALONE;
  await connection.query({ sql: bounds.begin });
  try {
    const value = await body(connection);
    await connection.query({ sql: bounds.end });
    return value;
  } catch (error) {
    // After a deadlock there is nothing left to undo, and without a connection the server does it: the first error counts.
    await connection.query({ sql: bounds.undo }).catch(() => undefined);
    throw error;
  }
}

const tails = new WeakMap<object, Promise<unknown>>();

/**
 * Runs what is asked of one connection one after another: calls at the same time would end each other's transaction,
 * or undo each other's part. On a pool nobody waits.
 */
export function inTurn<T>(on: CallerSession, call: () => Promise<T>): Promise<T> {
  if (on.pool !== undefined) return call();
  const turn = (tails.get(on.key) ?? Promise.resolve()).then(call);
  tails.set(
    on.key,
    turn.catch(() => undefined),
  ); // its caller hears of it; the next one has its turn all the same
  return turn;
}

const ALONE = { begin: 'START TRANSACTION', end: 'COMMIT', undo: 'ROLLBACK' };

/** Undoes no more than what the library has done itself since then. */
export const UNDO_PART = 'ROLLBACK TO SAVEPOINT rowlock_part';

const WITHIN = { begin: 'SAVEPOINT rowlock_part', end: 'RELEASE SAVEPOINT rowlock_part', undo: UNDO_PART };

/** Without autocommit a transaction begins by itself, and its end is the caller's to choose. */
async function isInTransaction(on: Queryable): Promise<boolean> {
  const { serverStatus } = await insert(on, 'ask_nothing');
  return (serverStatus & IN_TRANSACTION) !== 0 || (serverStatus & AUTOCOMMIT) === 0;
}
