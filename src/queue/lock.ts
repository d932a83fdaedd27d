import type { Queryable } from '../db/pool';
import { select } from '../db/statements';
import { IDS_AT_MOST, type JobId } from './job';
import type { Status } from './queues';

/** What decides whether somebody may revive or cancel a job. */
export interface LockedJob {
  id: JobId;
  type: string;
  status: Status;
  runId: number | null;
  uniqueKey: string | null;
  cancelledAt: Date | null;
  runAt: Date;
}

/**
 * Locks the jobs until the transaction ends; those that are not there are left out. They are looked for first: in
 * REPEATABLE READ, a caller's level, a lock on an id that is not there is one on the gap, where producers insert. So a
 * job that the caller's snapshot does not show counts as not there.
 */
export async function lockJobs(tx: Queryable, ids: readonly JobId[]): Promise<Map<string, LockedJob>> {
  const there = await select<{ id: JobId }>(tx, 'find_jobs_by_id', { ids: [...ids] });
  if (there.length === 0) return new Map();
  const rows = await select<LockedJob>(tx, 'lock_jobs_by_id', { ids: there.map(({ id }) => id) });
  return new Map(rows.map((row) => [String(row.id), row]));
}

export function* inPortions<T>(all: readonly T[]): Generator<T[]> {
  for (let start = 0; start < all.length; start += IDS_AT_MOST) yield all.slice(start, start + IDS_AT_MOST);
}
