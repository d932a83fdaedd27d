import { randomInt } from 'node:crypto';

/** How an attempt ended: computed first, written once. */
export type Outcome =
  | { kind: 'completed'; result: string | null }
  /** Failed, and tried again after `delayMs`. */
  | { kind: 'retry'; error: string; delayMs: number }
  /** Failed for good; cancelled: as somebody wished. */
  | { kind: 'failed'; error: string; cancelled?: true }
  /** Given back unharmed, with no attempt charged; due again after `delayMs`. */
  | { kind: 'released'; why: string; delayMs: number }
  /** Ended the process that held it and nothing else. */
  | { kind: 'crashed'; how: string }
  /** Already written, together with the function's own writes. */
  | { kind: 'committed' }
  /** Not ours any more: nothing is written. */
  | { kind: 'lost'; why: string };

export const CANCELLED = { kind: 'failed', error: 'cancelled', cancelled: true } as const satisfies Outcome;

export const FIRST_RETRY_MS = 30_000;
export const LONGEST_RETRY_MS = 6 * 3_600_000;

/**
 * Milliseconds before the next attempt, after `attempt` attempts have failed: 30 s tripled each time, at
 * most 6 h, so that eight attempts span about nine hours. The random 0.8 to 1.2 keeps jobs that failed
 * together from coming back together. A list of a job type's own is taken as it is.
 */
export function backoffMs(attempt: number, own?: readonly number[]): number {
  const listed = own?.[Math.min(attempt, own.length) - 1];
  if (listed !== undefined) return listed;
  const delay = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 3 ** (attempt - 1));
  return Math.round((delay * randomInt(800, 1201)) / 1000);
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** A job whose type nobody here knows is put back for a minute, doubling to an hour: a newer deploy may know it. */
export function unknownTypeDelayMs(lastPauseMs: number | null): number {
  return Math.min(HOUR_MS, Math.max(MINUTE_MS, 2 * (lastPauseMs ?? 0)));
}
