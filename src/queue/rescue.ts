import type { Pool } from '../db/pool';
import { change, select } from '../db/statements';
import { transaction } from '../db/transaction';
import { IDS_AT_MOST, type JobId } from './job';

interface Orphan {
  id: JobId;
  runId: number;
}

type LockedOrphan = Orphan & { type: string };

/**
 * Takes back the jobs of dead runs; returns how many. Two steps, each whole in itself: runs with an
 * expired lease are closed, then every running row whose run is closed or gone is put back. A worker
 * that dies between any two of its own steps leaves one of these behind, for whoever comes next.
 *
 * @param freesKey whether a unique_key of this type holds only while the job is active
 */
export async function rescueJobs(pool: Pool, freesKey: (type: string) => boolean): Promise<number> {
  await closeExpiredRuns(pool);
  let rescued = 0;
  for (;;) {
    const orphans = await select<Orphan>(pool, 'find_orphaned_jobs', { limit: IDS_AT_MOST });
    const taken = orphans.length === 0 ? 0 : await putBack(pool, orphans, freesKey);
    rescued += taken;
    // Fewer than a batch, or rows that somebody still locks: the next rescue comes within the minute.
    if (orphans.length < IDS_AT_MOST || taken === 0) return rescued;
  }
}

async function closeExpiredRuns(pool: Pool): Promise<void> {
  await transaction(pool, async (tx) => {
    const expired = await select<{ id: number }>(tx, 'find_expired_runs', { limit: IDS_AT_MOST });
    if (expired.length > 0) await change(tx, 'close_expired_runs', { ids: expired.map(({ id }) => id) });
  });
}

async function putBack(pool: Pool, orphans: Orphan[], freesKey: (type: string) => boolean): Promise<number> {
  const runOf = new Map(orphans.map(({ id, runId }) => [id, runId]));
  return transaction(pool, async (tx) => {
    const locked = await select<LockedOrphan>(tx, 'lock_running_jobs', { ids: [...runOf.keys()] });
    // In between another rescuer may have put it back, and a live run may have claimed it.
    const taken = locked.filter(({ id, runId }) => runOf.get(id) === runId);
    for (const freeKey of [true, false]) {
      const ids = taken.filter(({ type }) => freesKey(type) === freeKey).map(({ id }) => id);
      if (ids.length > 0) await change(tx, 'rescue_jobs', { ids, freeKey });
    }
    return taken.length;
  });
}
