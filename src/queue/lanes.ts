import type { Queryable } from '../db/pool';
import { select } from '../db/statements';
import type { JobId } from './job';
import { withoutPadding } from './names';
import { type Behind, requireProgress } from './queues';

/** A place in a lane: after the entry (runAt, id); runAt null: before the first. */
export interface Place {
  runAt: Date | null;
  id: JobId;
}

const START: Place = { runAt: null, id: 0 };

/** The first time that a TIMESTAMP holds. */
const FIRST = new Date(1000);

/**
 * After this job. A zero date, which an app without strict mode may have written, is before all times and no Date can hold
 * it: what else has one is found from the lane's start.
 */
export const placeAfter = ({ runAt, id }: { runAt: Date; id: JobId }): Place => ({
  runAt: Number.isNaN(runAt.getTime()) ? FIRST : runAt,
  id,
});

/** The lowest SMALLINT, less one. */
const BELOW_ALL = -32_769;

/** One (queue, priority). Claims go from its cursor on; a rescan goes back to its start. */
export class Lane {
  readonly queue: string;
  readonly priority: number;
  cursor: Place = START;
  /** When it was last read from its start. */
  scannedAt = Number.NEGATIVE_INFINITY;
  private mayRescanAt = 0;

  constructor(queue: string, priority: number) {
    this.queue = queue;
    this.priority = priority;
  }

  get atStart(): boolean {
    return this.cursor === START;
  }

  /** Rows that were committed late, or put back, stand behind the cursor. */
  rescan(): void {
    this.cursor = START;
  }

  mayRescan(now: number): boolean {
    return now >= this.mayRescanAt;
  }

  /** A claim from the start walks over entries that await purge: at most a twentieth of the time goes there. */
  scanned(tookMs: number, now: number): void {
    this.scannedAt = now;
    this.mayRescanAt = now + tookMs * 19;
  }
}

/**
 * Every lane that holds a pending job, with whether its earliest is due, by one index seek a lane.
 *
 * @param queues only these; empty: all
 */
export async function findLanes(on: Queryable, queues: readonly string[]): Promise<FoundLane[]> {
  if (queues.length === 0) return walk(on, null, () => true);
  const found: FoundLane[] = [];
  for (const queue of queues.map(withoutPadding))
    found.push(...(await walk(on, queue, (lane) => lane.queue === queue)));
  return found;
}

export interface FoundLane {
  queue: string;
  priority: number;
  due: boolean;
}

async function walk(on: Queryable, from: string | null, wanted: (lane: FoundLane) => boolean): Promise<FoundLane[]> {
  const found: FoundLane[] = [];
  let after: Behind = { queue: from, priority: BELOW_ALL };
  for (;;) {
    const [row] = await select<{ queue: string; priority: number; due: number }>(on, 'find_next_lane', after);
    if (row === undefined) return found;
    const lane = { queue: withoutPadding(row.queue), priority: row.priority, due: row.due === 1 };
    if (!wanted(lane)) return found;
    found.push(lane);
    after = requireProgress({ queue: lane.queue, priority: lane.priority }, after);
  }
}

/** Queues that somebody has paused, without padding. */
export async function findPausedQueues(on: Queryable): Promise<Set<string>> {
  const rows = await select<{ queue: string }>(on, 'find_paused_queues');
  return new Set(rows.map(({ queue }) => withoutPadding(queue)));
}
