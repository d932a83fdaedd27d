import { isConflict } from '../db/faults';
import type { Pool, PoolConnection } from '../db/pool';
import { change, insert, select } from '../db/statements';
import { transaction } from '../db/transaction';
import { InternalError, LeaseLostError } from '../errors';
import type { JobId } from './job';

/** What is to be written for one attempt that has ended. */
export interface Settlement {
  id: JobId;
  /** With the run's id the fence of the attempt. */
  attempts: number;
  status: 'completed' | 'failed' | 'pending';
  /** Under which of the run's counts it falls. */
  count: 'completed' | 'retried' | 'failed' | 'released';
  /** False: given back or crashed; the attempt does not count. */
  charged: boolean;
  /** Ended its process. */
  crashed: boolean;
  /** Failed because somebody cancelled it: no dead letter. */
  cancelled: boolean;
  /** From now until the job is due; 0: it keeps its place in the line. */
  delayMs: number;
  /** JSON text. */
  result: string | null;
  /** What becomes last_error, and a row of the history. */
  error: string | null;
  /** The unique_key holds only while the job is active, and ends with it. */
  freeKey: boolean;
}

export type Settled =
  | { how: 'written'; settlement: Settlement }
  /** The function itself had completed it, by ctx.complete, before this could be written; nothing was written. */
  | { how: 'completed'; settlement: Settlement }
  /** The row is not this attempt's any more; nothing was written. */
  | { how: 'lost'; settlement: Settlement; why: string }
  /** A lock was held by somebody else for too long; to be tried again. */
  | { how: 'blocked'; settlement: Settlement };

/**
 * Writes how attempts ended: one transaction for all of them and for the run's counts.
 *
 * @throws LeaseLostError if the run was closed: nothing was written
 */
export async function settleJobs(pool: Pool, runId: number, settlements: readonly Settlement[]): Promise<Settled[]> {
  try {
    return await settleTogether(pool, runId, settlements, 2);
  } catch (error) {
    if (!isConflict(error)) throw error;
    if (settlements.length === 1) return settlements.map((settlement) => ({ how: 'blocked', settlement }));
  }
  // A row among them is locked by somebody else, such as a producer's open transaction on the same
  // unique_key: it must not hold up the others.
  const settled: Settled[] = [];
  for (const settlement of settlements) settled.push(...(await settleAlone(pool, runId, settlement)));
  return settled;
}

async function settleAlone(pool: Pool, runId: number, settlement: Settlement): Promise<Settled[]> {
  try {
    return await settleTogether(pool, runId, [settlement], 1);
  } catch (error) {
    if (isConflict(error)) return [{ how: 'blocked', settlement }];
    throw error;
  }
}

const PASSES_AT_MOST = 3;

async function settleTogether(
  pool: Pool,
  runId: number,
  settlements: readonly Settlement[],
  tries: number,
): Promise<Settled[]> {
  const settled: Settled[] = [];
  let open = settlements;
  for (let pass = 0; open.length > 0; pass++) {
    const batch = open;
    if (await writeAll(pool, runId, batch, tries)) {
      return [...settled, ...batch.map((settlement): Settled => ({ how: 'written', settlement }))];
    }
    // Somebody else writes to these very rows again and again: later.
    if (pass === PASSES_AT_MOST)
      return [...settled, ...batch.map((settlement): Settled => ({ how: 'blocked', settlement }))];
    const verdicts = await examine(pool, runId, batch);
    settled.push(...verdicts.filter((verdict) => verdict.how !== 'open'));
    open = verdicts.filter((verdict) => verdict.how === 'open').map(({ settlement }) => settlement);
  }
  return settled;
}

/** Undoes a transaction whose fence matched fewer rows than it should. */
class FenceMissed extends InternalError {}

/** False: the fence matched too few rows, and each must be looked at. Nothing was written. */
async function writeAll(pool: Pool, runId: number, batch: readonly Settlement[], tries: number): Promise<boolean> {
  try {
    await transaction(pool, (tx) => writeWithin(tx, runId, batch), { tries });
    return true;
  } catch (error) {
    if (error instanceof FenceMissed) return false;
    throw error;
  }
}

/** Settles inside the caller's transaction, whose job is locked. */
export const settleWithin = (tx: PoolConnection, runId: number, settlement: Settlement): Promise<void> =>
  writeWithin(tx, runId, [settlement]);

async function writeWithin(tx: PoolConnection, runId: number, batch: readonly Settlement[]): Promise<void> {
  let written = 0;
  for (const [attempts, ids] of plainByAttempts(batch)) {
    written += await change(tx, 'complete_jobs', { runId, attempts, ids });
  }
  const others = batch.filter((settlement) => !isPlain(settlement));
  if (others.length > 0) written += await change(tx, 'settle_jobs', { runId, outcomes: toJson(others) });
  if (written !== batch.length) {
    throw new FenceMissed(`run ${runId} does not hold all of ${batch.map(({ id }) => id).join(', ')}`);
  }
  await writeLedger(tx, runId, batch);
}

/** Completed, and nothing more to say of it. */
const isPlain = ({ status, result, freeKey }: Settlement): boolean =>
  status === 'completed' && result === null && !freeKey;

/** Almost always one entry: the first attempts. */
function plainByAttempts(batch: readonly Settlement[]): Map<number, JobId[]> {
  const found = new Map<number, JobId[]>();
  for (const settlement of batch) {
    if (!isPlain(settlement)) continue;
    const ids = found.get(settlement.attempts);
    if (ids === undefined) found.set(settlement.attempts, [settlement.id]);
    else ids.push(settlement.id);
  }
  return found;
}

/** The history and the run's counts, last before COMMIT. */
async function writeLedger(tx: PoolConnection, runId: number, batch: readonly Settlement[]): Promise<void> {
  const errors = batch.flatMap(({ id, attempts, error }) => (error === null ? [] : [[id, attempts, runId, error]]));
  if (errors.length > 0) await insert(tx, 'insert_errors', { rows: errors });
  const counts = { completed: 0, retried: 0, failed: 0, released: 0 };
  for (const { count } of batch) counts[count]++;
  if ((await change(tx, 'count_outcomes', { runId, ...counts })) === 0) {
    throw new LeaseLostError(`run ${runId} was closed by another run`);
  }
}

const toJson = (batch: readonly Settlement[]): string =>
  JSON.stringify(
    batch.map(({ charged, crashed, freeKey, count: _, cancelled: __, ...columns }) => ({
      ...columns,
      uncharged: charged ? 0 : 1,
      crashes: crashed ? 1 : 0,
      freeKey: freeKey ? 1 : 0,
    })),
  );

interface Row {
  id: JobId;
  status: 'pending' | 'running' | 'completed' | 'failed';
  attempts: number;
  crashes: number;
  runId: number | null;
  cancelled: number;
}

type Verdict = Settled | { how: 'open'; settlement: Settlement };

/** Why did the fence match fewer rows: was an answer lost, was the job taken away, or cancelled? */
async function examine(pool: Pool, runId: number, batch: readonly Settlement[]): Promise<Verdict[]> {
  const rows = await select<Row>(pool, 'find_jobs_by_id', { ids: batch.map(({ id }) => id) });
  const rowOf = new Map(rows.map((row) => [row.id, row]));
  return batch.map((settlement) => judge(runId, settlement, rowOf.get(settlement.id)));
}

function judge(runId: number, settlement: Settlement, row: Row | undefined): Verdict {
  if (row === undefined) return { how: 'lost', settlement, why: 'its row was deleted' };
  if (row.runId === runId && row.status === 'running' && row.attempts === settlement.attempts) {
    if (row.cancelled === 0 || settlement.status !== 'pending') return { how: 'open', settlement };
    return { how: 'open', settlement: cancelled(settlement) };
  }
  const attempts = settlement.charged ? settlement.attempts : Math.max(settlement.attempts, 1) - 1;
  // An earlier try of this very transaction was committed, and its answer lost.
  if (row.runId === runId && row.status === settlement.status && row.attempts === attempts) {
    return { how: 'written', settlement };
  }
  if (row.runId === runId && row.status === 'completed' && row.attempts === settlement.attempts) {
    return { how: 'completed', settlement };
  }
  return {
    how: 'lost',
    settlement,
    why: `it is now ${row.status}, attempt ${row.attempts}, run ${row.runId ?? 'none'}`,
  };
}

/** A cancelled job does not go back to pending. */
const cancelled = (settlement: Settlement): Settlement => ({
  ...settlement,
  status: 'failed',
  count: 'failed',
  charged: true,
  crashed: false,
  cancelled: true,
  delayMs: 0,
  error: 'cancelled',
});
