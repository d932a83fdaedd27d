import { isConflict, isTransient } from '../db/faults';
import type { Pool, PoolConnection } from '../db/pool';
import { change, select } from '../db/statements';
import { transaction } from '../db/transaction';
import { type EnqueueRow, enqueueJobs } from './enqueue';

/** What one job type owes: a job at each tick. */
export interface Schedule {
  type: string;
  /** The cron text with its time zone: whoever has another one has another schedule. */
  text: string;
  /** The newest tick at or before this time; undefined: there was none. */
  newestTick(now: Date): Date | undefined;
  job: EnqueueRow;
}

export interface Enqueued {
  /** The type of each job that was enqueued. */
  types: string[];
  /** The types whose tick waits for somebody else's lock: the next run makes it up. */
  late: string[];
  /** Schedules whose job the database refuses. The others go on. */
  refused: { type: string; error: unknown }[];
}

/** A tick that lies further ahead was taken by a clock that was wrong, and has been set back since. */
const AHEAD_MS = 3_600_000;

interface Row {
  type: string;
  text: string;
  lastTick: Date;
  now: Date;
}

/**
 * Enqueues what the schedules owe, by the database's clock. Any number of runs on any number of hosts may
 * do this at once, and each may die after any statement: the tick moves forward in the transaction that
 * inserts its job, so both happen, once. Of several ticks that were missed only the newest is made up. A
 * schedule that is seen first, or whose text has changed, begins at its next tick.
 */
export async function enqueueTicks(pool: Pool, schedules: readonly Schedule[]): Promise<Enqueued> {
  const enqueued: Enqueued = { types: [], late: [], refused: [] };
  if (schedules.length === 0) return enqueued;
  const rows = await readRows(pool, schedules);
  for (const schedule of schedules) {
    try {
      if (await enqueueNewest(pool, schedule, rows.get(schedule.type))) enqueued.types.push(schedule.type);
    } catch (error) {
      // A producer's transaction may hold the end of the table. Claims do not need it, and must not wait for it.
      if (isConflict(error)) enqueued.late.push(schedule.type);
      else if (isTransient(error)) throw error;
      else enqueued.refused.push({ type: schedule.type, error });
    }
  }
  return enqueued;
}

async function readRows(pool: Pool, schedules: readonly Schedule[]): Promise<Map<string, Row>> {
  const rows = await select<Row>(pool, 'find_schedules', { types: schedules.map(({ type }) => type) });
  return new Map(rows.map((row) => [row.type, row]));
}

/** False: nothing is owed, or another run has enqueued it. */
async function enqueueNewest(pool: Pool, schedule: Schedule, found: Row | undefined): Promise<boolean> {
  const row = await settleText(pool, schedule, found);
  const tick = row && schedule.newestTick(row.now);
  if (row === undefined || tick === undefined || tick <= row.lastTick) return false;
  const { type, text, job } = schedule;
  const take = async (tx: PoolConnection): Promise<boolean> => {
    if ((await change(tx, 'advance_schedule', { type, text, tick })) === 0) return false;
    await enqueueJobs(tx, [job]);
    return true;
  };
  return transaction(pool, take, { tries: 1 });
}

/** The row, once it has this schedule's text; undefined where the schedule is new. */
async function settleText(pool: Pool, schedule: Schedule, row: Row | undefined): Promise<Row | undefined> {
  const { type, text } = schedule;
  if (row === undefined) {
    await change(pool, 'start_schedule', { type, text });
    return undefined;
  }
  const isAhead = row.lastTick.getTime() > row.now.getTime() + AHEAD_MS;
  if (row.text === text && !isAhead) return row;
  if (isAhead) await change(pool, 'set_schedule_back', { type });
  await change(pool, 'change_schedule', { type, text, before: row.text });
  return (await readRows(pool, [schedule])).get(type);
}
