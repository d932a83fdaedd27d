import type { Pool } from '../db/pool';
import { select } from '../db/statements';
import { pruneOrphanedErrors } from './prune-errors';
import { pruneJobs } from './prune-jobs';
import { pruneRuns } from './prune-runs';
import type { Cutoffs, Prune, Pruned } from './prune-work';

export type { Pruned };

export interface PruneOrder {
  /** Completed jobs, closed runs and errors without a job go when they ended longer ago than this. Runs stay a day at least. */
  ageMs: number;
  /** Failed jobs go when they ended longer ago than this, cancelled ones with them; undefined: they stay. */
  failedAgeMs?: number | undefined;
  /** Counts what would go, and deletes nothing. @default false */
  dryRun?: boolean;
  /** Asked before each portion; false: the prune ends, and what it has deleted so far stays deleted. */
  mayGoOn?: () => boolean;
}

/**
 * Deletes what ended long ago, in portions, each a short transaction of its own: runs go on beside it, and a
 * process that dies in the middle has deleted whole portions. A job's history goes with it, in the same one.
 * Space on the disk is used again by the table, and not given back to the system.
 */
export async function prune(
  pool: Pool,
  { ageMs, failedAgeMs, dryRun = false, mayGoOn = () => true }: PruneOrder,
): Promise<Pruned> {
  const work: Prune = {
    pool,
    cutoffs: await readCutoffs(pool, ageMs, failedAgeMs),
    dryRun,
    mayGoOn,
    pruned: {
      completed: 0,
      failed: 0,
      runs: 0,
      orphanedErrors: 0,
      kept: 0,
      keptBy: [],
      undated: 0,
      locked: 0,
      isWhole: true,
    },
  };
  const { ended, failed } = work.cutoffs;
  await pruneRuns(work);
  await pruneJobs(work, 'completed', ended);
  if (failed !== null) await pruneJobs(work, 'failed', failed);
  await pruneOrphanedErrors(work);
  return work.pruned;
}

async function readCutoffs(pool: Pool, ageMs: number, failedAgeMs: number | undefined): Promise<Cutoffs> {
  const [row] = await select<Cutoffs>(pool, 'read_prune_cutoffs', { ageMs, failedAgeMs: failedAgeMs ?? null });
  // Without an answer nothing is old.
  return row ?? { ended: new Date(1000), failed: null, closed: new Date(1000) };
}
