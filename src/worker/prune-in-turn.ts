import type { Pool } from '../db/pool';
import { messageOf } from '../errors';
import type { Emit } from '../events';
import { passPruneTurn, takePruneTurn } from '../queue/prune-turn';

/**
 * What one run spends on it. Whatever starts no run beside one that goes on (`rowlock schedule`, a systemd
 * timer, a Kubernetes CronJob) waits for this long; at some 10,000 rows a second it is enough for most days, and
 * the next run goes on with the rest.
 */
const PRUNES_AT_MOST_MS = 10_000;

export interface PruneOptions {
  emit: Emit;
  /** True once the run was told to end: nothing more is deleted. */
  isStopping(): boolean;
}

/** Prunes if it is a day since a run has, on whatever host. It never fails its run: what goes wrong is told. */
export async function pruneInTurn(pool: Pool, ageMs: number, { emit, isStopping }: PruneOptions): Promise<void> {
  const startedAt = performance.now();
  const elapsed = () => performance.now() - startedAt;
  try {
    if (isStopping() || !(await takePruneTurn(pool))) return;
    const { prune }: typeof import('../queue/prune') = require('../queue/prune');
    const mayGoOn = () => !isStopping() && elapsed() < PRUNES_AT_MOST_MS;
    const { completed, runs, orphanedErrors, kept, isWhole } = await prune(pool, { ageMs, mayGoOn });
    // One that has used up its time and deleted no job would get no further in the next run either. Runs do not
    // count: one grows old each minute.
    const mayGetFurther = isStopping() || completed + orphanedErrors > 0;
    if (!isWhole && mayGetFurther) await passPruneTurn(pool);
    emit('jobs.pruned', { completed, runs, kept, is_whole: isWhole, ms: Math.round(elapsed()) });
  } catch (error) {
    emit('jobs.not_pruned', { why: messageOf(error) });
  }
}
