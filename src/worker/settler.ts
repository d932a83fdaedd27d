import { setTimeout as pause } from 'node:timers/promises';
import { isLoginRefused, isTransient } from '../db/faults';
import type { Pool } from '../db/pool';
import { LeaseLostError, messageOf } from '../errors';
import type { JobId } from '../queue/job';
import { type Settled, type Settlement, settleJobs } from '../queue/settle';
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
  private stopped = false;
  private shutOutSince: number | undefined;
  /** The server's max_allowed_packet. */
  packetBytes = 1_048_576;
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
    return this.waiting.length;
  }

  add(settlement: Settlement): void {
    if (this.stopped) return;
    const fits = sizeOf(settlement) <= this.packetBytes - FIXED_BYTES;
    this.waiting.push(fits ? settlement : this.withoutResult(settlement, 'it is larger than a packet of the server'));
    this.flushing ??= this.flush().finally(() => {
      this.flushing = undefined;
    });
  }

  /** Resolves once everything added is written, or nothing can be any more. */
  async drained(): Promise<void> {
    while (this.flushing !== undefined) await this.flushing;
  }

  /** Writes nothing more: the jobs belong to somebody else. */
  stop(): void {
    this.stopped = true;
    this.waiting = [];
  }

  private async flush(): Promise<void> {
    // Jobs that end in this very turn of the loop belong to this batch.
    await new Promise<void>((resolve) => setImmediate(resolve));
    while (this.waiting.length > 0 && !this.stopped) await this.write(this.take());
  }

  private async write(batch: Settlement[]): Promise<void> {
    const { pool, runId, onSettled, onLost, onFault, onWaiting } = this.options;
    try {
      const settled = await settleJobs(pool, runId, batch);
      this.shutOutSince = undefined;
      const blocked = settled.filter(({ how }) => how === 'blocked');
      for (const one of settled) if (one.how !== 'blocked') onSettled(one);
      if (blocked.length === 0) return;
      this.waiting.push(...blocked.map(({ settlement }) => settlement));
      if (blocked.length === this.waiting.length) await pause(RETRY_MS);
    } catch (error) {
      if (error instanceof LeaseLostError) return onLost(error);
      // A password that is being changed is no fault of these outcomes: sessions that are open will take them.
      const isShutOut = isLoginRefused(error);
      if (isShutOut && this.isShutOutForLong()) return onFault(error);
      if (!isShutOut && !isTransient(error)) return this.afterRefusal(batch, error, onFault);
      this.waiting.unshift(...batch);
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
    if (first.result !== null) this.waiting.unshift(this.withoutResult(first, messageOf(error)));
    else if (first.status === 'pending') this.waiting.unshift(refused(first, messageOf(error)));
    else onFault(error);
  }

  private withoutResult(settlement: Settlement, why: string): Settlement {
    this.options.onDropped(settlement.id, why);
    return { ...settlement, result: null };
  }

  private take(): Settlement[] {
    const most = Math.min(LARGEST_FLUSH_BYTES, this.packetBytes - FIXED_BYTES);
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

/** A retry that the server does not take, such as one past the end of its calendar, must not come back for ever. */
const refused = (settlement: Settlement, why: string): Settlement => ({
  ...settlement,
  status: 'failed',
  count: 'failed',
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
