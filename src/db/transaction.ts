import { setTimeout as pause } from 'node:timers/promises';
import { isConflict, isConnectionLost, isFull, isTransient } from './faults';
import { forgetSilent, type Pool, type PoolConnection } from './pool';

/** COMMIT was sent and no answer came: the server may have done it, may not have, or may be about to. */
export class CommitUnknownError extends Error {
  override readonly name = 'CommitUnknownError';
}

export interface TransactionOptions {
  /** Times the whole is tried at most. @default 10 */
  tries?: number;
  /**
   * A server that is away does not count as a try: `signal` alone ends the waiting. A full table does, as it may be the
   * caller's own, and full by its own measure. @default false
   */
  outlast?: boolean;
  /**
   * What to do when COMMIT got no answer. `retry` suits a body that finds out for itself that its work
   * is already done; `throw` one that cannot. @default 'retry'
   */
  onUnknownCommit?: 'retry' | 'throw';
  /** Nobody wants the work any more: it is undone at once, also under a body that never ends, and not tried again. */
  signal?: AbortSignal;
}

const LONGEST_PAUSE_MS = 1_000;

/** A network that swallows packets answers nothing, not even an error: after this the connection is given up. */
const timeout = 30_000;

/**
 * Runs `body` inside a transaction. On a lock conflict, a server that is busy or a lost connection the
 * whole is undone and tried again: a deadlock undoes all of a transaction, so a statement alone must
 * never be repeated.
 */
export async function transaction<T>(
  pool: Pool,
  body: (tx: PoolConnection) => Promise<T>,
  { tries = 10, outlast = false, onUnknownCommit = 'retry', signal }: TransactionOptions = {},
): Promise<T> {
  let counted = 0;
  for (let attempt = 1; ; attempt++) {
    try {
      return await once(pool, body, onUnknownCommit, signal);
    } catch (error) {
      if (!outlast || isConflict(error) || isFull(error)) counted++;
      if (counted >= tries || !isTransient(error) || signal?.aborted === true) throw error;
    }
    await pause(backoffMs(attempt));
  }
}

/** Doubling, up to a second, and never the same for two workers that met each other. */
function backoffMs(attempt: number): number {
  return Math.min(LONGEST_PAUSE_MS, 5 * 2 ** attempt) * (0.5 + Math.random() / 2);
}

async function once<T>(
  pool: Pool,
  body: (tx: PoolConnection) => Promise<T>,
  onUnknownCommit: 'retry' | 'throw',
  signal: AbortSignal | undefined,
): Promise<T> {
  signal?.throwIfAborted();
  const tx = await pool.getConnection();
  if (signal?.aborted === true) tx.release();
  signal?.throwIfAborted();
  const end = () => tx.destroy();
  signal?.addEventListener('abort', end, { once: true });
  let committing = false;
  try {
    await tx.query({ sql: 'START TRANSACTION', timeout });
    const value = await body(tx);
    committing = true;
    await tx.query({ sql: 'COMMIT', timeout });
    tx.release();
    return value;
  } catch (error) {
    await undo(tx, error);
    forgetSilent(pool, error);
    if (committing && onUnknownCommit === 'throw' && isConnectionLost(error)) {
      throw new CommitUnknownError('the answer to COMMIT was lost', { cause: error });
    }
    throw error;
  } finally {
    signal?.removeEventListener('abort', end);
  }
}

/** Gives the connection back only if it is known to be outside of any transaction. */
async function undo(tx: PoolConnection, error: unknown): Promise<void> {
  if (isConnectionLost(error)) return tx.destroy();
  try {
    await tx.query({ sql: 'ROLLBACK', timeout });
    tx.release();
  } catch {
    // The server undoes what an ended session left open, so ending it is as good as ROLLBACK.
    tx.destroy();
  }
}
