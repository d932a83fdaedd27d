import type { Pool, PoolConnection, Queryable } from '../db/pool';
import { change, select } from '../db/statements';
import { transaction } from '../db/transaction';
import { LeaseLostError } from '../errors';
import type { Fence, JobId } from './job';
import { type Settlement, settleWithin } from './settle';

type OwnWrites = (tx: PoolConnection) => Promise<unknown>;

/** The job is not this attempt's any more: deleted, taken away, or its run was closed. */
export class TakenAwayError extends LeaseLostError {
  constructor({ id, attempts }: Fence) {
    super(`attempt ${attempts} no longer holds job ${id}`);
  }
}

/** The caller's own writes of a save; answers with the checkpoint, as JSON text. */
type WritesAndCheckpoint = (tx: PoolConnection) => Promise<string>;

/**
 * Stores a checkpoint together with the caller's own writes, if the attempt still holds its job. The job's
 * row is locked first, the run's only at the end: a long `write` must not block the heartbeat.
 *
 * @param saves how many checkpoints this job has had; one more afterwards
 * @param abandoned undoes it: nobody waits for `write` any more
 * @throws TakenAwayError if it does not hold the job; nothing of `write` stays
 */
export async function saveCheckpoint(
  pool: Pool,
  fence: Fence,
  { saves, write }: { saves: number; write: WritesAndCheckpoint },
  abandoned: AbortSignal,
): Promise<void> {
  const save = async (tx: PoolConnection) => {
    const row = await lockJob(tx, fence);
    if (row === undefined) throw new TakenAwayError(fence);
    // An earlier try was committed and its answer lost: to write once more would be twice.
    if (row.saves === saves + 1) return;
    const checkpoint = await write(tx);
    await change(tx, 'save_checkpoint', { ...fence, checkpoint });
    const [run] = await select<{ id: JobId }>(tx, 'lock_open_run', { runId: fence.runId });
    if (run === undefined) throw new TakenAwayError(fence);
  };
  await transaction(pool, save, { outlast: true, signal: abandoned });
}

/**
 * Completes a job together with the caller's own writes: both or none.
 *
 * @param abandoned undoes it: nobody waits for `write` any more
 * @throws TakenAwayError if the attempt does not hold the job; nothing of `write` stays
 */
export async function completeJob(
  pool: Pool,
  fence: Fence,
  settlement: Settlement,
  write: OwnWrites,
  abandoned: AbortSignal,
): Promise<void> {
  const complete = async (tx: PoolConnection) => {
    if ((await lockJob(tx, fence)) === undefined) {
      if (await isCompletedBy(tx, fence)) return; // an earlier try was committed, its answer lost
      throw new TakenAwayError(fence);
    }
    await write(tx);
    await settleWithin(tx, fence.runId, settlement);
  };
  await transaction(pool, complete, { outlast: true, signal: abandoned });
}

/** Stores how far the job is. False: the attempt does not hold it any more. */
export async function saveProgress(on: Queryable, fence: Fence, fraction: number): Promise<boolean> {
  return (await change(on, 'save_progress', { ...fence, fraction })) > 0;
}

async function lockJob(tx: PoolConnection, fence: Fence): Promise<{ saves: number } | undefined> {
  const [row] = await select<{ saves: number }>(tx, 'lock_job', { ...fence });
  return row;
}

async function isCompletedBy(tx: PoolConnection, { id, runId, attempts }: Fence): Promise<boolean> {
  const [row] = await select<{ status: string; attempts: number; runId: number | null }>(tx, 'find_jobs_by_id', {
    ids: [id],
  });
  return row?.status === 'completed' && row.attempts === attempts && row.runId === runId;
}
