import type { Queryable } from '../db/pool';
import { select } from '../db/statements';
import type { JobId } from './job';
import type { Status } from './queues';
import type { RunOutcome } from './runs';

export interface ListedJob {
  id: JobId;
  type: string;
  queue: string;
  priority: number;
  status: Status;
  attempts: number;
  createdAt: Date;
  runAt: Date;
  startedAt: Date | null;
  processedAt: Date | null;
  cancelledAt: Date | null;
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
export async function listJobs(on: Queryable, { status, type, queue, limit }: Wanted): Promise<ListedJob[]> {
  // Most rows of an old table are completed: those are found from its end, the others by their status.
  const few = status !== undefined && status !== 'completed';
  return select<ListedJob>(on, few ? 'list_jobs_by_status' : 'list_newest_jobs', {
    status: status ?? null,
    type: type ?? null,
    queue: queue ?? null,
    limit,
  });
}

/** All of one job. The JSON columns are text, as the row holds them. */
export interface WholeJob extends Omit<ListedJob, 'lastError'> {
  lastError: string | null;
  payload: string | null;
  uniqueKey: string | null;
  maxAttempts: number | null;
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
