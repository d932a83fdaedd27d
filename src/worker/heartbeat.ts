import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { CODE_FOLDER } from '../folders';
import { clearInterval, setInterval, setTimeout } from '../timers';
import type { HeartbeatData, HeartbeatMessage } from './heartbeat-thread';
import { BLOCKED_CHECK_MS, monotonicMs, Pulse } from './pulse';

export type { HeartbeatMessage };

const RESTART_MS = 1_000;

/** Keeps the run's lease, from a thread that no job function can block. */
export class Heartbeat {
  private worker: Worker | undefined;
  private timer: NodeJS.Timeout | undefined;
  private readonly pulse = new Pulse();
  private readonly deadlines = new Map<unknown, number>();
  private readonly data: Omit<HeartbeatData, 'pulse'>;
  private readonly onMessage: (message: HeartbeatMessage) => void;

  constructor(data: Omit<HeartbeatData, 'pulse'>, onMessage: (message: HeartbeatMessage) => void) {
    this.data = data;
    this.onMessage = onMessage;
  }

  /** The run's row is being inserted: its first lease begins. */
  leaseBegins(): void {
    this.pulse.setRenewed(monotonicMs());
  }

  /**
   * False: the lease has passed since it was last renewed, and another may have closed the run. The thread finds out: in a
   * process that was stopped for a while it has been stopped, too.
   */
  isLeaseSure(): boolean {
    return this.pulse.sinceRenewed() < this.data.leaseMs;
  }

  /** Starts the thread, once: a run that claims nothing does not pay for it. */
  start(): void {
    if (this.worker !== undefined) return;
    this.startThread();
    this.timer = setInterval(() => this.pulse.beat(), BLOCKED_CHECK_MS / 2);
    this.timer.unref();
  }

  /** A thread that fails, for want of memory perhaps, is started anew: without it the lease ends. */
  private startThread(): void {
    const worker = new Worker(join(CODE_FOLDER, 'worker', 'heartbeat-thread.js'), {
      workerData: { ...this.data, pulse: this.pulse.shared } satisfies HeartbeatData,
    });
    worker.on('message', this.onMessage);
    worker.on('error', () => {
      if (this.worker === worker) setTimeout(() => this.startThread(), RESTART_MS).unref();
    });
    worker.unref();
    this.worker = worker;
  }

  /** A job runs in this process, until its timeout. */
  watch(attempt: unknown, timeoutMs: number): void {
    const deadline = monotonicMs() + timeoutMs;
    this.deadlines.set(attempt, deadline);
    const earliest = this.earliest;
    if (earliest === undefined || deadline < earliest) this.setEarliest(deadline);
  }

  unwatch(attempt: unknown): void {
    const deadline = this.deadlines.get(attempt);
    this.deadlines.delete(attempt);
    if (this.deadlines.size === 0) this.setEarliest(undefined);
    else if (deadline === this.earliest) this.setEarliest(Math.min(...this.deadlines.values()));
  }

  private earliest: number | undefined;

  private setEarliest(deadline: number | undefined): void {
    this.earliest = deadline;
    this.pulse.setDeadline(deadline);
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    const { worker } = this;
    this.worker = undefined;
    await worker?.terminate();
  }
}
