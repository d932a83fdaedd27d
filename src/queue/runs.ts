import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { isConflict, isDuplicate, isTransient } from '../db/faults';
import type { Queryable } from '../db/pool';
import { change, insert, select } from '../db/statements';
import { countDue, type Served } from './due';

export type RunOutcome = 'finished' | 'stopped' | 'skipped' | 'lost' | 'error';

export interface NewRun {
  runId: number;
  host: string;
  pid: number;
  /** What the run serves, in words: runs compete for a slot only with runs that serve the same. */
  selection: string;
  leaseMs: number;
}

/** 53 bits at random: a restored backup must not hand an old process's id to a new one. */
export const newRunId = (): number => Number(randomBytes(8).readBigUInt64BE() >> 11n) || 1;

export async function openRun(on: Queryable, run: NewRun): Promise<void> {
  await insert(on, 'insert_run', { ...run });
}

/** False: the run was closed, and whatever it holds is no longer its own. */
export async function renewRun(on: Queryable, runId: number, leaseMs: number): Promise<boolean> {
  return (await change(on, 'renew_run', { runId, leaseMs })) > 0;
}

/** False: somebody else has closed it. */
export async function closeRun(on: Queryable, runId: number, outcome: RunOutcome): Promise<boolean> {
  return (await change(on, 'close_run', { runId, outcome })) > 0;
}

/** Tries slot after slot; undefined: all are taken, or the run is over. */
export async function takeSlot(on: Queryable, runId: number, slots: number): Promise<number | undefined> {
  for (let slot = 0; slot < slots; slot++) {
    try {
      if ((await change(on, 'take_slot', { runId, slot })) > 0) return slot;
      return undefined;
    } catch (error) {
      // A conflict says that another run is taking or leaving this very slot.
      if (!isDuplicate(error) && !isConflict(error)) throw error;
    }
  }
  return undefined;
}

const CLOSING_TRIES = 5;

/** The same, asked again for a few seconds while the server is busy or away. */
export async function closeRunPatiently(on: Queryable, runId: number, outcome: RunOutcome): Promise<boolean> {
  for (let tries = 1; ; tries++) {
    try {
      if (await closeRun(on, runId, outcome)) return true;
      // At a second try it may have been this very run, whose answer was lost.
      return tries > 1 && (await readOutcome(on, runId)) === outcome;
    } catch (error) {
      if (tries === CLOSING_TRIES || !isTransient(error)) throw error;
    }
    await pause(100 * 2 ** tries);
  }
}

async function readOutcome(on: Queryable, runId: number): Promise<string | null | undefined> {
  const [run] = await select<{ outcome: string | null }>(on, 'show_run', { runId });
  return run?.outcome;
}

export async function giveUpSlot(on: Queryable, runId: number): Promise<void> {
  await change(on, 'give_up_slot', { runId });
}

/** Jobs that other runs of this host and selection still hold, although they gave up their slot. */
export async function countJobsBeside(
  on: Queryable,
  run: Pick<NewRun, 'runId' | 'host' | 'selection'>,
): Promise<number> {
  const { runId, host, selection } = run;
  const [row] = await select<{ held: number }>(on, 'count_jobs_beside', { runId, host, selection });
  return row?.held ?? 0;
}

const STARVED_AFTER_SECONDS = 600;

/** Jobs (1,000 at most) that are due for ten minutes in which every run was skipped; told by one run alone. */
export async function findStarvation(
  on: Queryable,
  run: Pick<NewRun, 'runId' | 'host' | 'selection'>,
  served: Served,
): Promise<{ due: number; minutes: number } | undefined> {
  const { runId, host, selection } = run;
  const [streak] = await select<{ skippedSeconds: number | null; beforeSeconds: number | null }>(
    on,
    'find_starvation',
    { runId, host, selection },
  );
  const skipped = streak?.skippedSeconds ?? 0;
  if (skipped < STARVED_AFTER_SECONDS || (streak?.beforeSeconds ?? 0) >= STARVED_AFTER_SECONDS) return undefined;
  const due = await countDue(on, served, STARVED_AFTER_SECONDS);
  return due > 0 ? { due, minutes: Math.floor(skipped / 60) } : undefined;
}
