import type { Pool, Queryable } from '../db/pool';
import { change, select } from '../db/statements';
import { transaction } from '../db/transaction';
import type { JobId } from './job';
import { inPortions, type LockedJob, lockJobs } from './lock';

/** What became of one id that somebody wanted to revive. */
export type Revival = { id: JobId } & (
  | { how: 'revived'; job: LockedJob }
  /** It is in a state that needs no reviving, or must not be revived. */
  | { how: 'left'; job: LockedJob }
  | { how: 'unknown' }
);

/** Every failed job that nobody cancelled, of one type or of all. */
export async function findDeadLetters(pool: Pool, type: string | undefined): Promise<JobId[]> {
  const rows = await select<{ id: JobId }>(pool, 'find_dead_letters', { type: type ?? null });
  return rows.map(({ id }) => id);
}

/**
 * Makes failed jobs pending again, with attempts and crashes at 0; also a running one that no run holds,
 * which an older script left behind.
 */
export async function reviveJobs(pool: Pool, ids: readonly JobId[]): Promise<Revival[]> {
  const revivals: Revival[] = [];
  for (const portion of inPortions(ids)) revivals.push(...(await revivePortion(pool, portion)));
  return revivals;
}

const revivePortion = (pool: Pool, ids: readonly JobId[]): Promise<Revival[]> =>
  transaction(pool, (tx) => reviveWithin(tx, ids));

/** The same inside the caller's transaction; at most 900 ids. */
export async function reviveWithin(tx: Queryable, ids: readonly JobId[]): Promise<Revival[]> {
  const jobs = await lockJobs(tx, ids);
  const revivable = [...jobs.values()].filter(isRevivable).map(({ id }) => id);
  if (revivable.length > 0) await change(tx, 'revive_jobs', { ids: revivable });
  return ids.map((id): Revival => {
    const job = jobs.get(String(id));
    if (job === undefined) return { id, how: 'unknown' };
    return { id, how: isRevivable(job) ? 'revived' : 'left', job };
  });
}

const isRevivable = ({ status, runId }: LockedJob): boolean =>
  status === 'failed' || (status === 'running' && runId === null);
