import type { Queryable } from '../db/pool';
import { select } from '../db/statements';
import { findLanes } from './lanes';
import { withoutPadding } from './names';
import { findPauses } from './pause';
import { findQueuesWith } from './queues';

/** Where counting ends: a number that large stands for "this many, or more". */
export const COUNTED_AT_MOST = 100_000;

/** One queue as it stands now. Numbers of jobs are counted per priority and end at {@link COUNTED_AT_MOST}. */
export interface QueueState {
  queue: string;
  pausedAt: Date | null;
  due: number;
  /** Pending, but not due yet. */
  later: number;
  running: number;
  completed: number;
  failed: number;
  /** How long the oldest due job has been due; null: none is. */
  oldestDueMs: number | null;
  /** How long ago the newest of the running jobs was started; null: none is running. */
  newestStartMs: number | null;
}

export interface LiveRun {
  id: number;
  host: string;
  pid: number;
  slot: number | null;
  selection: string;
  startedAt: Date;
  leaseExpiresAt: Date;
  /** 0: its lease has run out, and the next run closes it. */
  alive: number;
  claimed: number;
  completed: number;
  retried: number;
  failed: number;
  released: number;
}

export interface Health {
  now: Date;
  /** The newest run, also one that was skipped; undefined: there never was one. */
  lastRun: { id: number; startedAt: Date; agoMs: number } | undefined;
  liveRuns: LiveRun[];
  queues: QueueState[];
  /** Ended since midnight UTC, by the runs' own account. */
  today: { completed: number; failed: number };
  /** Running rows that no run holds: an older script's. */
  heldByNoRun: number;
  /** Job types whose jobs were put back, since no worker knows them. */
  putBack: { type: string; jobs: number }[];
}

/**
 * How the queue is doing, read through indexes and in bounded portions, so that it may be asked every
 * minute of a table with millions of rows.
 *
 * @param only this queue; undefined: all
 */
export async function readHealth(on: Queryable, only?: string): Promise<Health> {
  const queues = new Queues(await findPauses(on), only);
  const putBack = await readPending(on, queues);
  const heldByNoRun = await readRunning(on, queues);
  for (const status of ['completed', 'failed'] as const) {
    for (const queue of only === undefined ? await findQueuesWith(on, status) : [only]) {
      const jobs = await countEnded(on, status, queue);
      if (jobs > 0) queues.of(queue)[status] = jobs;
    }
  }
  const [clock] = await select<{ now: Date }>(on, 'read_clock');
  const [lastRun] = await select<NonNullable<Health['lastRun']>>(on, 'find_last_run');
  const [today] = await select<Health['today']>(on, 'count_today');
  return {
    now: clock?.now ?? new Date(),
    lastRun,
    liveRuns: await select<LiveRun>(on, 'find_live_runs'),
    queues: queues.all(),
    today: today ?? { completed: 0, failed: 0 },
    heldByNoRun,
    putBack,
  };
}

/** @param most where counting ends */
export async function countEnded(
  on: Queryable,
  status: 'completed' | 'failed',
  queue: string,
  most = COUNTED_AT_MOST,
): Promise<number> {
  const [row] = await select<{ jobs: number }>(on, 'count_ended_jobs', { status, queue, most });
  return row?.jobs ?? 0;
}

async function readPending(on: Queryable, queues: Queues): Promise<Health['putBack']> {
  const putBack = new Map<string, number>();
  for (const { queue, priority } of await findLanes(on, queues.only === undefined ? [] : [queues.only])) {
    const [lane] = await select<{ due: number; later: number; oldestMs: number | null }>(on, 'count_lane', {
      queue,
      priority,
      most: COUNTED_AT_MOST,
    });
    if (lane === undefined) continue;
    const state = queues.of(queue);
    state.due += lane.due;
    state.later += lane.later;
    if (lane.oldestMs !== null) state.oldestDueMs = Math.max(state.oldestDueMs ?? 0, lane.oldestMs);
    if (lane.later === 0) continue;
    for (const { type, jobs } of await select<{ type: string; jobs: number }>(on, 'find_put_back_types', {
      queue,
      priority,
    })) {
      putBack.set(type, (putBack.get(type) ?? 0) + jobs);
    }
  }
  return [...putBack].map(([type, jobs]) => ({ type, jobs }));
}

interface RunningRow {
  queue: string;
  running: number;
  newestStartMs: number | null;
  heldByNoRun: number;
}

async function readRunning(on: Queryable, queues: Queues): Promise<number> {
  let heldByNoRun = 0;
  for (const row of await select<RunningRow>(on, 'count_running_jobs')) {
    const queue = withoutPadding(row.queue);
    if (queues.only !== undefined && queue !== withoutPadding(queues.only)) continue;
    const state = queues.of(queue);
    state.running = row.running;
    state.newestStartMs = row.newestStartMs;
    heldByNoRun += row.heldByNoRun;
  }
  return heldByNoRun;
}

/** The states by queue, made when they are first met. A paused queue is there although it is empty. */
class Queues {
  readonly only: string | undefined;
  private readonly pauses: Map<string, Date>;
  private readonly states = new Map<string, QueueState>();

  constructor(pauses: Map<string, Date>, only: string | undefined) {
    this.only = only;
    this.pauses = pauses;
    for (const queue of only === undefined ? pauses.keys() : [only]) this.of(queue);
  }

  of(queue: string): QueueState {
    let state = this.states.get(queue);
    if (state === undefined) {
      const pausedAt = this.pauses.get(queue) ?? null;
      const none = { due: 0, later: 0, running: 0, completed: 0, failed: 0, oldestDueMs: null, newestStartMs: null };
      state = { queue, pausedAt, ...none };
      this.states.set(queue, state);
    }
    return state;
  }

  all(): QueueState[] {
    return [...this.states.values()].sort((a, b) => (a.queue < b.queue ? -1 : 1));
  }
}
