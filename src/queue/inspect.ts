import type { Queryable } from '../db/pool';
import { select } from '../db/statements';
import { COUNTED_AT_MOST, countEnded } from './health';
import type { JobId } from './job';
import { STATUSES, type Status } from './queues';
import type { RunOutcome } from './runs';

/** A job in a list: no payload, no result. */
export interface ListedJob {
  id: JobId;
  type: string;
  queue: string;
  /** Within a queue the lower number runs sooner. */
  priority: number;
  status: Status;
  /** Attempts started. */
  attempts: number;
  createdAt: Date;
  /** Not before this time. */
  runAt: Date;
  /** Start of the newest attempt; null: there was none. */
  startedAt: Date | null;
  /** When it completed or failed; null: it has not ended. */
  processedAt: Date | null;
  /** When somebody cancelled it; null: nobody did. */
  cancelledAt: Date | null;
  /** From 0 to 1, as `ctx.progress` stored it; null: it never did. */
  progress: number | null;
  /** Its first 1,000 characters. */
  lastError: string | null;
  /** The database's clock at the time of this look. */
  now: Date;
}

export interface Wanted {
  status?: Status | undefined;
  type?: string | undefined;
  queue?: string | undefined;
  limit: number;
}

/** The newest jobs first. */
export async function listJobs(on: Queryable, wanted: Wanted): Promise<ListedJob[]> {
  const { status, type = null, queue = null, limit } = wanted;
  if (await areFew(on, wanted)) {
    return select(on, 'list_jobs_by_status', {
      statuses: status === undefined ? [...STATUSES] : [status],
      type,
      queue,
      limit,
    });
  }
  return select(on, 'list_newest_jobs', { status: status ?? null, type, queue, limit });
}

/** Most rows of an old table are completed, in one queue or two: those are soon met from its end, the others are not. */
async function areFew(on: Queryable, { status, queue }: Wanted): Promise<boolean> {
  if (status !== undefined && status !== 'completed') return true;
  return queue !== undefined && (await countEnded(on, 'completed', queue)) < COUNTED_AT_MOST;
}

/** All of one job. The JSON columns are text, as the row holds them. */
export interface WholeJob extends Omit<ListedJob, 'lastError'> {
  /** The newest failure, in words; null: there was none. */
  lastError: string | null;
  payload: string | null;
  /** Null: without one, or its type frees it when a job ends. */
  uniqueKey: string | null;
  /** Null: the type's own limit. */
  maxAttempts: number | null;
  /** How many of its workers died; above 0 it runs alone in a process. */
  crashes: number;
  runId: number | null;
  checkpoint: string | null;
  saves: number;
  result: string | null;
}

export interface Failure {
  attempt: number;
  runId: number | null;
  occurredAt: Date;
  error: string;
}

export interface HoldingRun {
  id: number;
  host: string;
  pid: number;
  slot: number | null;
  startedAt: Date;
  leaseExpiresAt: Date;
  finishedAt: Date | null;
  outcome: RunOutcome | null;
}

export interface JobWithHistory {
  job: WholeJob;
  /** The run that holds it, or held it last; undefined also if its row was pruned. */
  run: HoldingRun | undefined;
  /** The newest first. */
  failures: Failure[];
}

/** One job with its history; undefined if there is none of this id. */
export async function showJob(on: Queryable, id: JobId): Promise<JobWithHistory | undefined> {
  const [job] = await select<WholeJob>(on, 'show_job', { id });
  if (job === undefined) return undefined;
  const [run] = job.runId === null ? [] : await select<HoldingRun>(on, 'show_run', { runId: job.runId });
  return { job, run, failures: await select<Failure>(on, 'show_errors', { id }) };
}
