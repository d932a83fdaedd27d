import { ON_MARIADB } from '../db/caller';
import { isConnectionLost, isFull, isServerError, isTransient } from '../db/faults';
import type { PoolConnection } from '../db/pool';
import { UNDO_PART } from '../db/wholly';
import type { Tx } from './define';

/** A statement that would end the transaction, or change something that ROLLBACK does not undo. */
class RefusedStatementError extends Error {
  override readonly name = 'RefusedStatementError';
}

/**
 * What reads and writes rows. All else is refused: it commits, as MySQL does implicitly before DDL, or ends
 * the transaction in another way, or outlives it on a connection that other jobs use.
 */
const ROW_STATEMENT =
  /^(select|insert|update|delete|replace|with|values|table|call|do|show|desc|describe|explain|set|load\s+(data|xml)|savepoint|release\s+savepoint|get)\b/i;

/** `SET @a = 1, @b = 2`: the session's own settings would outlive the transaction, for whoever has the connection next. */
const SETS_OWN_VARIABLES = /^set\s+@[\w.$]+\s*:?=(?![\s\S]*,\s*(?!@[\w.$])[\w@`.]+\s*:?=)/i;

/** What may stand before the first word. A comment of the kind that the server executes is not among them. */
const LEADING = /^(\s|--[^\n]*(\n|$)|#[^\n]*(\n|$)|\/\*(?!!|M!)[\s\S]*?\*\/|\()+/;

/** InnoDB undoes the whole transaction when its table of locks is full. */
const LOCK_TABLE_FULL = 1206;

const NO_SUCH_SAVEPOINT = 1305;

/**
 * The connection of a fenced transaction as a job function gets it. What it refuses would let a caught
 * error commit half: a deadlock has undone everything before it, and the next statement would start anew.
 */
export class GuardedTx {
  private poisoned: unknown;
  private closed = false;
  private readonly pending = new Set<Promise<unknown>>();
  private readonly tx: PoolConnection;

  constructor(tx: PoolConnection) {
    this.tx = tx;
  }

  /** What the function may see of it. */
  get handle(): Tx {
    return {
      query: (...args: unknown[]) => this.send('query', args),
      execute: (...args: unknown[]) => this.send('execute', args),
    } as unknown as Tx;
  }

  /**
   * Waits for statements that the function did not wait for, and takes no more.
   *
   * @throws the conflict that a statement has met, also if the function has caught it
   */
  async close(): Promise<void> {
    while (this.pending.size > 0) await Promise.allSettled(this.pending);
    this.closed = true;
    this.assertWhole();
  }

  private assertWhole(): void {
    if (this.poisoned !== undefined) throw this.poisoned;
  }

  private async send(method: 'query' | 'execute', args: unknown[]): Promise<unknown> {
    if (this.closed)
      throw new RefusedStatementError('this transaction has ended: await all statements inside of write');
    this.assertWhole();
    const isCall = readWord(args[0]) === 'CALL';
    const running = isCall ? this.call(method, args) : this.pass(method, args);
    this.pending.add(running);
    try {
      return await running;
    } finally {
      this.pending.delete(running);
    }
  }

  private async pass(method: 'query' | 'execute', args: unknown[]): Promise<unknown> {
    try {
      return await (this.tx[method] as (...a: unknown[]) => Promise<unknown>).apply(this.tx, args);
    } catch (error) {
      if (hasUndoneAll(error)) this.poisoned = error;
      throw error;
    }
  }

  /** A procedure may hold a COMMIT that nobody sees from here. A savepoint ends with its transaction. */
  private async call(method: 'query' | 'execute', args: unknown[]): Promise<unknown> {
    await this.pass('query', ['SAVEPOINT rowlock_call']);
    const answer = await this.pass(method, args);
    try {
      await this.pass('query', ['RELEASE SAVEPOINT rowlock_call']);
    } catch (error) {
      if (!isServerError(error, NO_SUCH_SAVEPOINT)) throw error;
      this.poisoned = new RefusedStatementError(
        'the called procedure ended the transaction; take COMMIT, ROLLBACK and DDL out of it',
      );
      throw this.poisoned;
    }
    return answer;
  }
}

/** True if more than the one statement may be undone: what was written before it, too. */
const hasUndoneAll = (error: unknown): boolean =>
  (isTransient(error) && !isFull(error)) || isConnectionLost(error) || isServerError(error, LOCK_TABLE_FULL);

/** The first word of a statement that may pass. @throws RefusedStatementError */
function readWord(given: unknown): string {
  const sql = typeof given === 'string' ? given : (given as { sql?: unknown } | undefined)?.sql;
  if (typeof sql !== 'string') throw new RefusedStatementError('no statement was given');
  if (sql === UNDO_PART) return 'ROLLBACK';
  // The library's statements begin so, for sessions in another time zone; this one is in UTC as it is.
  const statement = (sql.startsWith(ON_MARIADB) ? sql.slice(ON_MARIADB.length) : sql).replace(LEADING, '');
  const word = ROW_STATEMENT.exec(statement)?.[1]?.toUpperCase();
  if (word === undefined) throw refuse(/^[\w/*!]{1,20}/.exec(statement)?.[0] ?? 'this statement');
  if (word === 'SET' && !SETS_OWN_VARIABLES.test(statement))
    throw refuse(/^\S+\s+\S{1,20}/.exec(statement)?.[0] ?? 'SET');
  return word;
}

const refuse = (what: string): RefusedStatementError =>
  new RefusedStatementError(
    `${what.toUpperCase()} is refused here: the transaction is Rowlock's, which commits it with the job; write and read rows only`,
  );
