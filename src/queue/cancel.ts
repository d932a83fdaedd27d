import type { Pool, Queryable } from '../db/pool';
import { change } from '../db/statements';
import { transaction } from '../db/transaction';
import type { JobId } from './job';
import { inPortions, type LockedJob, lockJobs } from './lock';

/** What became of one id that somebody wanted to cancel. */
export type Cancellation = { id: JobId } & (
  | { how: 'cancelled'; job: LockedJob }
  /** The run that holds it aborts it at its next heartbeat. */
  | { how: 'requested'; job: LockedJob }
  | { how: 'left'; job: LockedJob }
  | { how: 'unknown' }
);

/**
 * Ends pending jobs at once and asks for the end of running ones. The rows are locked meanwhile, so none
 * slips from one state to the other in between.
 *
 * @param freesKey whether a unique_key of this type holds only while the job is active
 */
export async function cancelJobs(
  pool: Pool,
  ids: readonly JobId[],
  freesKey: (type: string) => boolean,
): Promise<Cancellation[]> {
  const all: Cancellation[] = [];
  for (const portion of inPortions(ids)) all.push(...(await cancelPortion(pool, portion, freesKey)));
  return all;
}

const cancelPortion = (
  pool: Pool,
  ids: readonly JobId[],
  freesKey: (type: string) => boolean,
): Promise<Cancellation[]> => transaction(pool, (tx) => cancelWithin(tx, ids, freesKey));

/** The same inside the caller's transaction; at most 900 ids. */
export async function cancelWithin(
  tx: Queryable,
  ids: readonly JobId[],
  freesKey: (type: string) => boolean,
): Promise<Cancellation[]> {
  const jobs = await lockJobs(tx, ids);
  const idsOf = (wanted: (job: LockedJob) => boolean) => [...jobs.values()].filter(wanted).map(({ id }) => id);
  for (const freeKey of [true, false]) {
    const pending = idsOf((job) => job.status === 'pending' && freesKey(job.type) === freeKey);
    if (pending.length > 0) await change(tx, 'cancel_pending_jobs', { ids: pending, freeKey });
  }
  const running = idsOf(isHeld);
  if (running.length > 0) await change(tx, 'cancel_running_jobs', { ids: running });
  return ids.map((id) => tell(id, jobs.get(String(id))));
}

const isHeld = ({ status, runId }: LockedJob): boolean => status === 'running' && runId !== null;

function tell(id: JobId, job: LockedJob | undefined): Cancellation {
  if (job === undefined) return { id, how: 'unknown' };
  if (job.status === 'pending') return { id, how: 'cancelled', job };
  return { id, how: isHeld(job) ? 'requested' : 'left', job };
}
