import type { LogLevel } from './config';
import { oneLine } from './errors';

/** Names a job in an event. */
interface AboutJob {
  job_id: number | string;
  job_type: string;
  attempt: number;
}

/** Counts of one run, as its row in background_job_runs has them. */
export interface RunCounts {
  claimed: number;
  completed: number;
  retried: number;
  failed: number;
  released: number;
}

/** What a run has pruned. `is_whole` is false where the rest is left to the next run. */
export interface PruneCounts {
  completed: number;
  runs: number;
  kept: number;
  is_whole: boolean;
}

/** The facts that the worker tells, by name. Never a payload, never a secret. */
export interface Events {
  'run.started': { run_id: number; host: string; pid: number };
  'run.skipped': { run_id: number; why: string };
  'run.starved': { due: number; minutes: number };
  'run.stopping': { run_id: number; why: string };
  'run.finished': RunCounts & { run_id: number; outcome: string; ms: number; unknown_types: string[] };
  'run.dead_letters': { count: number; groups: DeadLetters[] };
  'run.lease_lost': { run_id: number; why: string };
  'run.waiting': { why: string };
  'jobs.claimed': { run_id: number; count: number; queue: string };
  'jobs.rescued': { count: number };
  'jobs.enqueued': { count: number; types: string[] };
  'schedule.late': { types: string[] };
  'schedule.refused': { job_type: string; error: string };
  'schedule.started': { cron: string };
  'schedule.not_ready': { why: string };
  'schedule.run_ended': { pid: number; how: string };
  'jobs.pruned': PruneCounts & { ms: number };
  'jobs.not_pruned': { why: string };
  'job.completed': AboutJob & { ms: number };
  'job.retried': AboutJob & { ms: number; delay_ms: number; error: string };
  'job.failed': AboutJob & { ms: number; error: string };
  'job.released': AboutJob & { why: string };
  'job.not_claimed': { job_id: number | string; why: string };
  'job.crashed': AboutJob & { how: string; crashes: number };
  'job.taken_away': AboutJob & { why: string };
  'job.result_dropped': AboutJob & { why: string };
  'job.abandoned': AboutJob & { ms: number };
  'job.stray': AboutJob & { what: string };
  'job.log': AboutJob & { level: LogLevel; message: string; fields?: Record<string, unknown> };
  'worker.blocked': { run_id: number; blocked_ms: number; is_job_running: boolean };
  'worker.uncaught': { error: string };
  'worker.not_closed': { job_type: string; why: string };
  'ping.failed': { ping: 'start' | 'end'; why: string };
  'metrics.not_written': { path: string; why: string };
  'metrics.incomplete': { why: string };
}

/** Jobs of one type that failed in one run, with the newest error. */
export interface DeadLetters {
  job_type: string;
  job_ids: (number | string)[];
  error: string;
}

export type EventName = keyof Events;

/** Tells a fact. What becomes of it is chosen below and nowhere else. */
export type Emit = <N extends EventName>(name: N, facts: Events[N]) => void;

type Wording = {
  [N in EventName]: { level: LogLevel | ((facts: Events[N]) => LogLevel); say: (facts: Events[N]) => string };
};

const job = ({ job_id, job_type, attempt }: AboutJob): string => `job ${job_id} (${job_type}, attempt ${attempt})`;

/**
 * Each event's level and sentence. Cron mails what is printed at `warn`: a run that went well, its
 * retries and the jobs that it took back from a dead run are below that; a dead letter is not.
 */
export const WORDING: Wording = {
  'run.started': { level: 'info', say: (e) => `run ${e.run_id} started on ${e.host}, pid ${e.pid}` },
  'run.skipped': { level: 'info', say: (e) => `run ${e.run_id} skipped: ${e.why}` },
  'run.starved': {
    level: 'warn',
    say: (e) =>
      `${e.due} jobs are due, but every run was skipped for ${e.minutes} minutes; see rowlock list --status running, or raise --max-runs or --concurrency`,
  },
  'run.stopping': { level: 'info', say: (e) => `stopping: ${e.why}` },
  'run.finished': {
    level: 'info',
    say: (e) =>
      `run ${e.run_id} ${e.outcome} after ${(e.ms / 1000).toFixed(1)} s: ${e.claimed} claimed, ${e.completed} completed, ${e.retried} to be retried, ${e.failed} failed, ${e.released} given back` +
      (e.unknown_types.length > 0 ? `; put back, as no job function has the type ${e.unknown_types.join(', ')}` : ''),
  },
  'run.dead_letters': {
    level: 'warn',
    say: (e) =>
      `${e.count} ${e.count === 1 ? 'job' : 'jobs'} failed for good: ${e.groups.map(sayGroup).join('; ')}; see rowlock show ${e.groups[0]?.job_ids[0]}`,
  },
  'run.lease_lost': {
    level: 'error',
    say: (e) => `run ${e.run_id} lost its lease: ${e.why}; what it held will be, or was, run again`,
  },
  'run.waiting': { level: 'info', say: (e) => `waiting: ${e.why}` },
  'jobs.claimed': { level: 'debug', say: (e) => `claimed ${e.count} from queue ${e.queue}` },
  'jobs.rescued': { level: 'info', say: (e) => `${e.count} jobs taken back from runs that died` },
  'jobs.enqueued': {
    level: 'info',
    say: (e) => `${e.count} scheduled ${e.count === 1 ? 'job' : 'jobs'} enqueued: ${e.types.join(', ')}`,
  },
  'schedule.late': {
    level: 'info',
    say: (e) => `somebody holds a lock that the ticks of ${e.types.join(', ')} wait for; the next run makes them up`,
  },
  'schedule.refused': {
    level: 'warn',
    say: (e) =>
      `the schedule of ${e.job_type} owes a job that cannot be enqueued: ${e.error}; correct its payload or queue`,
  },
  'schedule.started': { level: 'info', say: (e) => `a run starts at each tick of ${e.cron}` },
  'schedule.not_ready': { level: 'warn', say: (e) => `${e.why} (each tick tries again)` },
  'schedule.run_ended': { level: 'warn', say: (e) => `the run of process ${e.pid} ended with ${e.how}` },
  'jobs.pruned': {
    level: 'info',
    say: (e) =>
      `pruned ${e.completed} completed jobs and ${e.runs} runs in ${(e.ms / 1000).toFixed(1)} s` +
      (e.kept > 0 ? `; ${e.kept} old jobs are kept, as other tables refer to them` : '') +
      (e.is_whole ? '' : '; the next run goes on'),
  },
  'jobs.not_pruned': {
    level: 'warn',
    say: (e) => `pruning failed: ${e.why}; it is tried again in a day, or now by rowlock prune`,
  },
  'job.completed': { level: 'info', say: (e) => `${job(e)} completed in ${e.ms} ms` },
  'job.retried': {
    level: 'info',
    say: (e) => `${job(e)} will be retried in ${Math.round(e.delay_ms / 1000)} s: ${e.error}`,
  },
  'job.failed': { level: 'info', say: (e) => `${job(e)} failed: ${e.error}` },
  'job.released': { level: 'info', say: (e) => `${job(e)} given back: ${e.why}` },
  'job.not_claimed': { level: 'warn', say: (e) => `job ${e.job_id} was not run: ${e.why}` },
  'job.crashed': { level: 'info', say: (e) => `${job(e)} ended its process (${e.how}), crash ${e.crashes}` },
  'job.taken_away': {
    level: 'warn',
    say: (e) => `${job(e)} was taken away while it ran (${e.why}); its outcome is dropped`,
  },
  'job.result_dropped': { level: 'warn', say: (e) => `${job(e)} completed, but its result is not stored: ${e.why}` },
  'job.abandoned': {
    level: 'warn',
    say: (e) => `${job(e)} still runs ${e.ms} ms after its abort and is abandoned; honour ctx.signal`,
  },
  'job.stray': { level: 'warn', say: (e) => `${job(e)} had ended, but left ${e.what}; await all that it starts` },
  'job.log': { level: (e) => e.level, say: (e) => `${job(e)}: ${e.message}` },
  'worker.blocked': {
    level: 'error',
    say: (e) =>
      `the event loop is blocked for ${Math.round(e.blocked_ms / 1000)} s, ${e.is_job_running ? 'past the timeout of a job' : 'by what a job has left behind'}; this process is ended, and its jobs will run alone`,
  },
  'worker.not_closed': { level: 'warn', say: (e) => `${e.job_type} could not close what it keeps open: ${e.why}` },
  'ping.failed': { level: 'info', say: (e) => `the ${e.ping} ping failed (${e.why})` },
  'metrics.not_written': {
    level: 'warn',
    say: (e) =>
      `the metrics file ${e.path} was not written (${e.why}); see that its folder is there, has room and lets this user write, or correct --metrics-file`,
  },
  'metrics.incomplete': { level: 'warn', say: (e) => `the metrics file has no numbers of the queue: ${e.why}` },
  'worker.uncaught': { level: 'error', say: (e) => `an error outside of any job: ${e.error}; this run stops` },
};

const LONGEST_ERROR = 200;

function sayGroup({ job_type, job_ids, error }: DeadLetters): string {
  const shown = job_ids.slice(0, 5).join(', ');
  const more = job_ids.length > 5 ? ` and ${job_ids.length - 5} more` : '';
  return `${job_type} (${shown}${more}): ${oneLine(error, LONGEST_ERROR)}`;
}
