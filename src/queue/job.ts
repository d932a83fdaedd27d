/** What stands in a row for the database's own number; a string where a double cannot hold it. */
export type JobId = number | string;

/** BIGINT UNSIGNED's end. */
const GREATEST_ID = 2n ** 64n - 1n;

/** An id as the rows have it: a number where a double holds it, else a string. Undefined for what is no id. */
export function toJobId(given: JobId): JobId | undefined {
  const isId =
    typeof given === 'string'
      ? /^\d{1,20}$/.test(given) && BigInt(given) <= GREATEST_ID
      : Number.isSafeInteger(given) && given >= 0;
  if (!isId) return undefined;
  const number = Number(given);
  return Number.isSafeInteger(number) ? number : String(BigInt(given));
}

/**
 * Ids that one statement names at most. From 1,000 on MariaDB turns an IN list into a subquery
 * (in_predicate_conversion_threshold): it then reads the whole table, and a locking read locks it.
 */
export const IDS_AT_MOST = 900;

/** Names in the schedules' table that begin so are Rowlock's own; no job type may have such a name. */
export const OWN_NAMES = 'rowlock.';

/** The claim that an attempt stands on. No write to a job is made without it. */
export interface Fence {
  runId: number;
  id: JobId;
  /** The attempt's number, which the claim has written. */
  attempts: number;
}

/** A job as a run has claimed it. */
export interface ClaimedJob {
  id: JobId;
  type: string;
  /** JSON text as the row holds it. */
  payload: string | null;
  queue: string;
  priority: number;
  runAt: Date;
  createdAt: Date;
  maxAttempts: number | null;
  /** This attempt's number; 1 for the first. */
  attempts: number;
  crashes: number;
  /** JSON text. */
  checkpoint: string | null;
  /** Checkpoints stored so far. */
  saves: number;
  /** How long the newest pause before this claim was, from the claim before it; null on the first. */
  lastPauseMs: number | null;
}
