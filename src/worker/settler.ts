import { setTimeout as pause } from 'node:timers/promises';
import { isFull, isLoginRefused, isTooLarge, isTransient } from '../db/faults';
import type { Pool } from '../db/pool';
import { LeaseLostError, messageOf } from '../errors';
import type { JobId } from '../queue/job';
import { type Settled, type Settlement, settleJobs } from '../queue/settle';
import { setImmediate } from '../timers';
import { LARGEST_BATCH } from './pace';

export interface SettlerOptions {
  pool: Pool;
  runId: number;
  onSettled(settled: Settled): void;
  /** The run was closed: nothing more can be written. */
  onLost(error: LeaseLostError): void;
  /** Something that no retry mends. */
  onFault(error: unknown): void;
  onWaiting(why: unknown): void;
  /** A result that the server does not take: its job is completed without it. */
  onDropped(id: JobId, why: string): void;
}

/** Text of one flush at most. */
const LARGEST_FLUSH_BYTES = 4_000_000;

const RETRY_MS = 250;

/** No new session has been let in for so long: the run ends, and its jobs are taken back. */
const LONGEST_SHUT_OUT_MS = 60_000;

/**
 * Writes outcomes as they come: whatever has ended by the time the previous flush returns goes into the
 * next. An idle queue settles at once, a busy one by the hundred. An outcome is kept until it is written,
 * since a lost completion runs a job twice.
 */
export class Settler {
  private waiting: Settlement[] = [];
  private flushing: Promise<void> | undefined;
  /**
   * A lock on their rows was somebody else's for too long, such as a producer's open transaction on the same unique_key.
   * They are tried one by one, beside the others: each try waits for the lock once more.
   */
  private blocked: Settlement[] = [];
  private retrying: Promise<void> | undefined;
  private stopped = false;
  private shutOutSince: number | undefined;
  /** The server's max_allowed_packet, as it was when the run began. */
  packetBytes = 1_048_576;
  /** Text of the next flush at most: less, once the server has taken no more. */
  private flushBytes = LARGEST_FLUSH_BYTES;
  private readonly options: SettlerOptions;

  constructor(options: SettlerOptions) {
    this.options = options;
  }

  /** Nothing is written any more: the lease is lost. */
  get isStopped(): boolean {
    return this.stopped;
  }

  /** Outcomes not written yet, but for the flush under way. */
  get backlog(): number {
    return this.waiting.length + this.blocked.length;
  }

  add(settlement: Settlement): void {
    if (this.stopped) return;
    const fits = sizeOf(settlement) <= this.packetBytes - FIXED_BYTES;
    this.waiting.push(fits ? settlement : this.withoutResult(settlement, 'it is larger than a packet of the server'));
    this.flushing ??= this.flush();
  }

  /** Resolves once everything added is written, or nothing can be any more. */
  async drained(): Promise<void> {
    while (this.flushing !== undefined || this.retrying !== undefined)
      await Promise.all([this.flushing, this.retrying]);
  }

  /** Writes nothing more: the jobs belong to somebody else. */
  stop(): void {
    this.stopped = true;
    this.waiting = [];
    this.blocked = [];
  }

  /**
   * Its end is set in the same turn in which it sees that nothing waits: what was added between the two, when a `then`
   * set it a few microtasks later, was never written.
   */
  private async flush(): Promise<void> {
    try {
      // Jobs that end in this very turn of the loop belong to this batch.
      await new Promise<void>((resolve) => setImmediate(resolve));
      while (this.waiting.length > 0 && !this.stopped) await this.write(this.take());
    } finally {
      this.flushing = undefined;
    }
  }

  private async retryBlocked(): Promise<void> {
    try {
      while (this.blocked.length > 0 && !this.stopped) {
        const [first] = this.blocked.splice(0, 1);
        if (first === undefined) return;
        await this.write([first]);
        if (this.blocked.includes(first)) await pause(RETRY_MS);
      }
    } finally {
      this.retrying = undefined;
    }
  }

  /** Ahead of whatever waits. */
  private putBack(...settlements: Settlement[]): void {
    if (this.stopped) return;
    this.waiting.unshift(...settlements);
    this.flushing ??= this.flush();
  }

  private async write(batch: Settlement[]): Promise<void> {
    const { pool, runId, onSettled, onLost, onFault, onWaiting } = this.options;
    try {
      const settled = await settleJobs(pool, runId, batch);
      this.shutOutSince = undefined;
      this.flushBytes = Math.min(LARGEST_FLUSH_BYTES, 2 * this.flushBytes);
      const blocked = settled.filter(({ how }) => how === 'blocked');
      for (const one of settled) if (one.how !== 'blocked') onSettled(one);
      if (blocked.length === 0 || this.stopped) return;
      this.blocked.push(...blocked.map(({ settlement }) => settlement));
      this.retrying ??= this.retryBlocked();
    } catch (error) {
      if (error instanceof LeaseLostError) return onLost(error);
      // A password that is being changed is no fault of these outcomes: sessions that are open will take them.
      const isShutOut = isLoginRefused(error);
      if (isShutOut && this.isShutOutForLong()) return onFault(error);
      // Its max_allowed_packet has become less, or there is room for less in its temporary files.
      if (isTooLarge(error) || isFull(error)) this.flushBytes = sumSizes(batch) / 2;
      const isTooMuch = isTooLarge(error) && batch.length > 1;
      if (!isTooMuch && !isShutOut && !isTransient(error)) return this.afterRefusal(batch, error, onFault);
      this.putBack(...batch);
      if (isTooMuch) return;
      onWaiting(error);
      await pause(RETRY_MS);
    }
  }

  private isShutOutForLong(): boolean {
    this.shutOutSince ??= performance.now();
    return performance.now() - this.shutOutSince > LONGEST_SHUT_OUT_MS;
  }

  /** One outcome that the server refuses must not take the others along. */
  private async afterRefusal(batch: Settlement[], error: unknown, onFault: (error: unknown) => void): Promise<void> {
    const [first, ...others] = batch;
    if (first === undefined) return;
    if (others.length > 0) {
      for (const one of batch) await this.write([one]);
      return;
    }
    if (first.result !== null) this.putBack(this.withoutResult(first, messageOf(error)));
    else if (first.status === 'pending') this.putBack(refused(first, messageOf(error)));
    else onFault(error);
  }

  private withoutResult(settlement: Settlement, why: string): Settlement {
    this.options.onDropped(settlement.id, why);
    return { ...settlement, result: null };
  }

  private take(): Settlement[] {
    const most = Math.min(this.flushBytes, this.packetBytes - FIXED_BYTES);
    let bytes = 0;
    let count = 0;
    for (const settlement of this.waiting) {
      bytes += sizeOf(settlement);
      if (count > 0 && (bytes > most || count >= LARGEST_BATCH)) break;
      count++;
    }
    return this.waiting.splice(0, count);
  }
}

const sumSizes = (batch: readonly Settlement[]): number => batch.reduce((sum, one) => sum + sizeOf(one), 0);

/** A retry that the server does not take, such as one past the end of its calendar, must not come back for ever. */
const refused = (settlement: Settlement, why: string): Settlement => ({
  ...settlement,
  status: 'failed',
  count: 'failed',
  charged: true, // also of a release: the history names the attempt
  delayMs: 0,
  error: `its outcome was refused by the server: ${why}`,
});

/** Its other columns, and what the statement itself takes. */
const FIXED_BYTES = 512;

/** Bytes of it inside a statement: as JSON within JSON, then quoted by the driver. */
function sizeOf({ result, error }: Settlement): number {
  if (result === null && error === null) return FIXED_BYTES;
  return FIXED_BYTES + Buffer.byteLength(JSON.stringify(JSON.stringify([result, error])));
}
