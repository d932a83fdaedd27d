import { UnrecoverableError } from '../errors';
import type { Batch, Fault } from './broadcast-batches';

/** The checkpoint of a broadcast. */
export interface Counts {
  /** Of the recipients; null where they may come in another order each time. */
  version: string | null;
  /** Recipients that are done with. */
  read: number;
  /** Mails of all passes through the recipients. */
  enqueued: number;
  /** Those of earlier passes, whose recipients are met again. */
  earlier: number;
  /** Recipients that had one already. */
  met: number;
  faulty: number;
  /** The first of them. */
  faults: Fault[];
}

export interface BroadcastResult {
  /** How many were read. */
  recipients: number;
  /** Jobs of the type email.send. */
  enqueued: number;
  skipped: { duplicate: number; faulty: number };
  /** The first of the faulty ones. */
  faults: Fault[];
}

const FAULTS_KEPT = 20;

const NONE: Counts = { version: null, read: 0, enqueued: 0, earlier: 0, met: 0, faulty: 0, faults: [] };

/**
 * Where to go on: after the recipients that are done with, or, where these may not be the first ones any more, from the
 * start, past all that have their mail.
 */
export function resume(checkpoint: unknown, version: string | null): Counts {
  const counts = (checkpoint as Counts | null) ?? NONE;
  if (version !== null && counts.version === version) return counts;
  return { ...NONE, version, enqueued: counts.enqueued, earlier: counts.enqueued };
}

/** @param enqueued how many mails of the batch had to be */
export function count(counts: Counts, { read, mails, met, faults }: Batch, enqueued: number): Counts {
  return {
    ...counts,
    read,
    enqueued: counts.enqueued + enqueued,
    met: counts.met + met + mails.length - enqueued,
    faulty: counts.faulty + faults.length,
    faults: [...counts.faults, ...faults].slice(0, FAULTS_KEPT),
  };
}

/** @throws UnrecoverableError if there were recipients, and a mail for none of them */
export function toResult({ read, enqueued, earlier, met, faulty, faults }: Counts): BroadcastResult {
  const [first] = faults;
  if (first !== undefined && enqueued === 0 && met === 0) {
    throw new UnrecoverableError(
      `none of the ${read} recipients can get a mail, the first since line ${first.line} ${first.why}; correct the file or the payload`,
    );
  }
  const duplicate = Math.max(0, met - earlier);
  return { recipients: read, enqueued, skipped: { duplicate, faulty }, faults };
}
