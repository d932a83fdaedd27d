import { isConflict, isConnectionLost } from '../db/faults';
import type { PoolConnection } from '../db/pool';
import type { Tx } from './define';

/** A statement that would end the transaction, or change something that ROLLBACK does not undo. */
export class RefusedStatementError extends Error {
  override readonly name = 'RefusedStatementError';
}

/** Each of these commits, or ends the transaction in another way; MySQL commits implicitly before DDL. */
const ENDS_TRANSACTION =
  /^(commit|rollback|begin|start|create|alter|drop|truncate|rename|lock|unlock|grant|revoke|analyze|optimize|repair|install|uninstall|flush|reset|change|load\s+index|cache|set\s+(session\s+|@@(session\.)?)?(autocommit|password|role|default)|xa|shutdown|stop|purge|handler)\b/i;

/** What may stand before the first word. A `/*!` comment is a statement, and is not one of them. */
const LEADING = /^(\s|--[^\n]*(\n|$)|#[^\n]*(\n|$)|\/\*(?!!|M!)[\s\S]*?\*\/|\()+/;

/**
 * The connection of a fenced transaction as a job function gets it. What it refuses would let a caught
 * error commit half: a deadlock has undone everything before it, and the next statement would start anew.
 */
export class GuardedTx {
  private poisoned: unknown;
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

  /** @throws the conflict that a statement has met, also if the function has caught it */
  assertWhole(): void {
    if (this.poisoned !== undefined) throw this.poisoned;
  }

  private async send(method: 'query' | 'execute', args: unknown[]): Promise<unknown> {
    this.assertWhole();
    refuseEnds(args[0]);
    try {
      return await (this.tx[method] as (...a: unknown[]) => Promise<unknown>).apply(this.tx, args);
    } catch (error) {
      if (isConflict(error) || isConnectionLost(error)) this.poisoned = error;
      throw error;
    }
  }
}

function refuseEnds(given: unknown): void {
  const sql = typeof given === 'string' ? given : (given as { sql?: unknown } | undefined)?.sql;
  if (typeof sql !== 'string') return;
  const statement = sql.replace(LEADING, '');
  const word = ENDS_TRANSACTION.exec(statement)?.[0];
  if (word === undefined && !/^\/\*M?!/.test(statement)) return;
  throw new RefusedStatementError(
    `${word?.toUpperCase() ?? 'an executable comment'} is refused here: the transaction is Rowlock's, which commits it with the job`,
  );
}
