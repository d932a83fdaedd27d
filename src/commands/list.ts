import type { Settings } from '../config';
import { EXIT, type ExitCode, UsageError } from '../errors';
import { type ListedJob, listJobs } from '../queue/inspect';
import type { Status } from '../queue/queues';
import { sayBriefly, sayName, sayTime } from '../words';
import { exactId, print, toJsonLine, toTable } from './print';
import { withQueue } from './session';

export interface ListOptions {
  status?: Status;
  type?: string;
  queue?: string;
  limit: string;
  json?: boolean;
}

const MOST = 100_000;
const LONGEST_ERROR = 60;

/** `rowlock list [--status --type --queue --limit] [--json]`: the newest jobs first. */
export function listCommand(
  settings: Settings,
  { status, type, queue, limit, json = false }: ListOptions,
): Promise<ExitCode> {
  const most = Number(limit);
  if (!/^\d+$/.test(limit) || most < 1 || most > MOST) {
    throw new UsageError(`--limit "${limit}" is no whole number from 1 to ${MOST}`);
  }
  return withQueue(settings, async (pool) => {
    const jobs = await listJobs(pool, { status, type, queue, limit: most });
    if (json) print(toJsonLine(jobs.map(toPlain)));
    else print(jobs.length === 0 ? 'no such jobs' : toTable(jobs.map(toRow), HEAD));
    return EXIT.ok;
  });
}

const HEAD = ['id', 'type', 'queue', 'status', 'attempts', 'when', 'last error'];

const toRow = (job: ListedJob): string[] => [
  String(job.id),
  sayName(job.type),
  sayName(job.queue),
  job.cancelledAt === null ? job.status : `${job.status} (cancelled)`,
  String(job.attempts),
  sayWhen(job),
  sayBriefly(job.lastError, LONGEST_ERROR),
];

/** The time that matters in each status: when it is due, was started, or ended. */
function sayWhen({ status, runAt, startedAt, processedAt, now }: ListedJob): string {
  if (status === 'pending') return `due ${sayTime(runAt, now)}`;
  return status === 'running' ? `since ${sayTime(startedAt, now)}` : sayTime(processedAt, now);
}

const toPlain = (job: ListedJob) => ({
  id: exactId(job.id),
  job_type: job.type,
  queue: job.queue,
  priority: job.priority,
  status: job.status,
  attempts: job.attempts,
  created_at: job.createdAt,
  run_at: job.runAt,
  started_at: job.startedAt,
  processed_at: job.processedAt,
  cancelled_at: job.cancelledAt,
  progress: job.progress,
  last_error: job.lastError,
});
