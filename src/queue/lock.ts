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

/** Locks the jobs until the transaction ends; those that are not there are left out. */
export async function lockJobs(tx: Queryable, ids: readonly JobId[]): Promise<Map<string, LockedJob>> {
  const rows = await select<LockedJob>(tx, 'lock_jobs_by_id', { ids: [...ids] });
  return new Map(rows.map((row) => [String(row.id), row]));
}

export function* inPortions<T>(all: readonly T[]): Generator<T[]> {
  for (let start = 0; start < all.length; start += IDS_AT_MOST) yield all.slice(start, start + IDS_AT_MOST);
}
