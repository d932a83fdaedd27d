import type { Cancellation } from '../queue/cancel';
import type { Health } from '../queue/health';
import type { WholeJob } from '../queue/inspect';
import type { JobId } from '../queue/job';
import type { Status } from '../queue/queues';
import type { Revival } from '../queue/retry';
import { judge } from '../verdict';
import { parseJson } from '../worker/payload';

/** One row of the table, its JSON parsed. Times are by the database's clock. */
export interface Job extends Omit<WholeJob, JsonColumn | 'saves' | 'runId' | 'now'> {
  /** Null also where the column is NULL. Whole numbers beyond 2^53 are BigInt, here and in `checkpoint` and `result`. */
  payload: unknown;
  /** What `ctx.save` stored last; null: nothing. */
  checkpoint: unknown;
  /** What the function returned; null: nothing, or nothing that can be stored. */
  result: unknown;
}

type JsonColumn = 'payload' | 'checkpoint' | 'result';

export const toJob = ({ saves: _, runId: __, now: ___, ...job }: WholeJob): Job => ({
  ...job,
  payload: parseJson(job.payload),
  checkpoint: parseJson(job.checkpoint),
  result: parseJson(job.result),
});

/** How the queue is doing: what `rowlock status` tells. */
export interface QueueStatus {
  /** False: nobody runs it, or due jobs wait for ten minutes in which none of their queue was started. */
  ok: boolean;
  /** One line: `OK: last run 12 s ago, 3 due, oldest 8 s, 0 failed today`. */
  verdict: string;
  /** What is wrong, in words, the gravest first; empty where `ok`. */
  reasons: string[];
  /** The database's clock. */
  now: Date;
  /** The newest execution of `rowlock run`; null: there never was one. */
  lastRun: { id: number; startedAt: Date } | null;
  /** Since midnight UTC. */
  completedToday: number;
  failedToday: number;
  /** By name; numbers of jobs end at 100,000 for each priority. */
  queues: QueueCounts[];
  /** Types that no worker knows, whose jobs wait for one that does. */
  unknownTypes: { type: string; jobs: number }[];
  /** Running rows that no run holds: an older script's. */
  runningWithoutRun: number;
  /** Executions that have not ended. */
  runs: RunState[];
}

/** One queue as it stands now. */
export interface QueueCounts {
  queue: string;
  /** Null: it is not paused. */
  pausedAt: Date | null;
  /** `due` and `later` together. */
  pending: number;
  /** Pending, and their time has come. */
  due: number;
  /** How many milliseconds the oldest due job has been due; null: none is. */
  oldestDueMs: number | null;
  later: number;
  running: number;
  completed: number;
  failed: number;
}

/** One execution of `rowlock run`, and what it has done so far. */
export interface RunState {
  id: number;
  host: string;
  pid: number;
  /** Null: it has none, or gave it up after --max-time. */
  slot: number | null;
  /** The queues and types that it serves, in words; empty: all. */
  selection: string;
  /** False: its lease has run out, and the next run closes it. */
  alive: boolean;
  startedAt: Date;
  leaseExpiresAt: Date;
  claimed: number;
  completed: number;
  /** Failed, and to be tried again. */
  retried: number;
  /** For good. */
  failed: number;
  /** Given back unharmed. */
  released: number;
}

export function toStatus(health: Health): QueueStatus {
  const { ok, line, reasons } = judge(health);
  const { lastRun, today, putBack, heldByNoRun } = health;
  return {
    ok,
    verdict: line,
    reasons,
    now: health.now,
    lastRun: lastRun === undefined ? null : { id: lastRun.id, startedAt: lastRun.startedAt },
    completedToday: today.completed,
    failedToday: today.failed,
    queues: health.queues.map(({ newestStartMs: _, ...state }) => ({ ...state, pending: state.due + state.later })),
    unknownTypes: putBack,
    runningWithoutRun: heldByNoRun,
    runs: health.liveRuns.map((run) => ({ ...run, alive: run.alive === 1 })),
  };
}

/** What `retry` did about one id. */
export interface Retried {
  id: JobId;
  /** `left`: it is in a state that needs no reviving; `unknown`: there is no such job. */
  how: 'retried' | 'left' | 'unknown';
  /** The status that it had; undefined: there is no such job. */
  status?: Status;
}

/** What `cancel` did about one id. */
export interface Cancelled {
  id: JobId;
  /**
   * `cancelled`: it had not started, and never will; `requested`: its run aborts it at the next heartbeat, a
   * quarter of a lease (15 s); `left`: it has ended already; `unknown`: there is no such job.
   */
  how: 'cancelled' | 'requested' | 'left' | 'unknown';
  /** The status that it had; undefined: there is no such job. */
  status?: Status;
}

export const toRetried = (revival: Revival): Retried =>
  revival.how === 'unknown'
    ? { id: revival.id, how: 'unknown' }
    : { id: revival.id, how: revival.how === 'revived' ? 'retried' : 'left', status: revival.job.status };

export const toCancelled = (cancellation: Cancellation): Cancelled =>
  cancellation.how === 'unknown'
    ? { id: cancellation.id, how: 'unknown' }
    : { id: cancellation.id, how: cancellation.how, status: cancellation.job.status };
