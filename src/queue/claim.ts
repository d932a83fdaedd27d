import type { Pool, PoolConnection, Queryable } from '../db/pool';
import { change, select } from '../db/statements';
import { transaction } from '../db/transaction';
import { ConfigError, LeaseLostError } from '../errors';
import type { ClaimedJob, JobId } from './job';
import { type Lane, placeAfter } from './lanes';

export interface Claim {
  runId: number;
  /** Jobs at most. */
  limit: number;
  /** True if this process still holds the job in memory: a write of its earlier attempt may be on its way. */
  isHeld: (id: JobId) => boolean;
}

/**
 * Claims the next due jobs of a lane and moves its cursor behind them.
 *
 * @throws CommitUnknownError if the claim may have been made: look up by run_id before claiming more
 * @throws LeaseLostError if the run was closed
 */
export async function claimLane(pool: Pool, lane: Lane, claim: Claim): Promise<ClaimedJob[]> {
  const { queue, priority, cursor } = lane;
  const jobs = await claimLocked(pool, claim, (tx) =>
    select<ClaimedJob>(tx, 'claim_lane', {
      queue,
      priority,
      afterRunAt: cursor.runAt,
      afterId: cursor.id,
      limit: claim.limit,
    }),
  );
  const last = jobs.at(-1);
  if (last !== undefined) lane.cursor = placeAfter(last);
  return jobs;
}

/** Claims due jobs of some types only: candidates are found without locks, then locked by primary key. */
export async function claimLaneByType(
  pool: Pool,
  lane: Lane,
  types: readonly string[],
  claim: Claim,
): Promise<ClaimedJob[]> {
  const { queue, priority } = lane;
  const until = await readClock(pool);
  for (;;) {
    const candidates = await select<{ id: JobId; runAt: Date }>(pool, 'find_candidates', {
      queue,
      priority,
      until,
      afterRunAt: lane.cursor.runAt,
      afterId: lane.cursor.id,
      types: [...types],
      limit: claim.limit,
    });
    const last = candidates.at(-1);
    // Nothing up to `until`: the next look goes on from there, and not through the other types again.
    lane.cursor = last === undefined ? { runAt: until, id: 0 } : placeAfter(last);
    if (last === undefined) return [];
    const order = new Map(candidates.map(({ id }, index) => [id, index]));
    const jobs = await claimLocked(pool, claim, async (tx) => {
      const locked = await select<ClaimedJob>(tx, 'claim_candidates', {
        ids: [...order.keys()],
        queue,
        priority,
        types: [...types],
      });
      return locked.sort((a, b) => (order.get(a.id) ?? 0) - (order.get(b.id) ?? 0));
    });
    // All of them went to other runs: look further.
    if (jobs.length > 0 || candidates.length < claim.limit) return jobs;
  }
}

/** Claims jobs by id, whatever their run_at or their queue's pause. */
export async function claimNamed(pool: Pool, ids: readonly JobId[], claim: Claim): Promise<ClaimedJob[]> {
  return claimLocked(pool, claim, (tx) => select<ClaimedJob>(tx, 'claim_named_jobs', { ids: [...ids] }));
}

/** Of jobs that {@link claimNamed} did not get: why not. */
export async function explainUnclaimed(on: Queryable, ids: readonly JobId[]): Promise<{ id: JobId; why: string }[]> {
  if (ids.length === 0) return [];
  const rows = await select<{ id: JobId; status: string }>(on, 'find_jobs_by_id', { ids: [...ids] });
  const statusOf = new Map(rows.map(({ id, status }) => [String(id), status]));
  return ids.map((id) => ({ id, why: sayWhy(id, statusOf.get(String(id))) }));
}

function sayWhy(id: JobId, status: string | undefined): string {
  if (status === undefined) return 'there is no such job';
  if (status === 'pending') return 'another session holds its row; try again';
  if (status === 'failed') return `it is failed; rowlock retry ${id} makes it pending again`;
  return `it is ${status}`;
}

/** The database's clock. */
async function readClock(on: Queryable): Promise<Date> {
  const [row] = await select<{ now: Date }>(on, 'read_clock');
  return row?.now ?? new Date(1000);
}

async function claimLocked(
  pool: Pool,
  { runId, isHeld }: Claim,
  lock: (tx: PoolConnection) => Promise<ClaimedJob[]>,
): Promise<ClaimedJob[]> {
  return transaction(
    pool,
    async (tx) => {
      const jobs = (await lock(tx)).filter(({ id }) => !isHeld(id));
      if (jobs.length === 0) return [];
      const ids = jobs.map(({ id }) => id);
      if ((await change(tx, 'mark_claimed', { runId, ids })) !== ids.length) {
        throw new ConfigError(
          'this server parses FOR UPDATE SKIP LOCKED but does not lock; use MySQL 8.0.4 or newer, or MariaDB 10.6 or newer',
        );
      }
      if ((await change(tx, 'count_claimed', { runId, count: ids.length })) === 0) {
        throw new LeaseLostError(`run ${runId} was closed by another run`);
      }
      for (const job of jobs) job.attempts++;
      return jobs;
    },
    { onUnknownCommit: 'throw' },
  );
}
