import { setTimeout as pause } from 'node:timers/promises';
import type { RunSettings } from '../config';
import { isTransient } from '../db/faults';
import type { Pool } from '../db/pool';
import type { Emit } from '../events';
import { findHeldForSure, findHeldJobs } from '../queue/held';
import type { ClaimedJob, JobId } from '../queue/job';
import { Attempt } from './attempt';
import type { Claimer } from './claimer';
import type { Execution } from './execute';
import type { JobType } from './job-type';
import { CANCELLED, unknownTypeDelayMs } from './outcome';
import { Pace } from './pace';
import type { Registry } from './registry';
import type { Report } from './report';
import { type OpenOutcome, settlementOf } from './settlement';
import type { Settler } from './settler';

export interface DrainOptions {
  pool: Pool;
  runId: number;
  settings: RunSettings;
  claimer: Pick<Claimer, 'claim' | 'refresh' | 'paused'>;
  settler: Settler;
  registry: Registry;
  report: Report;
  emit: Emit;
  /** Executes one attempt, in this process or in one of its own. */
  execute(attempt: Attempt, type: JobType): Promise<Execution>;
  /** Called before the first job is claimed for good. */
  onFirstClaim(): void;
  /** Slots that the jobs of earlier runs of this host still take. */
  countBeside(): Promise<number>;
  /** When the run began, as performance.now() tells it. */
  startedAt: number;
}

interface Held {
  attempt: Attempt;
  state: 'buffered' | 'executing' | 'settling';
  since: number;
}

/** What waits longer in the buffer goes back, for a worker that is free. */
const BUFFERED_AT_MOST_MS = 2_000;
/** Pauses and earlier runs are looked at this often, also when nothing is claimed. */
const LOOK_EVERY_MS = 1_000;

/** Claims, executes and settles until nothing is due. Knows of each job that the run holds. */
export class Drain {
  private readonly held = new Map<JobId, Held>();
  private readonly buffer: Held[] = [];
  private executing = 0;
  private claimed = 0;
  private beside = 0;
  private besideAt = Number.NEGATIVE_INFINITY;
  /** By id, the attempt that was seen. */
  private suspectedStrays = new Map<JobId, number>();
  /** Rows of claims that got no answer, on their way back. */
  private readonly strays = new Set<JobId>();
  private claiming = false;
  /** Why no more is claimed; undefined while it is. */
  private stopReason: string | undefined;
  /** Functions that go on although their attempt is over have nobody who waits for them. */
  private left = false;
  private tellStopped: () => void = () => undefined;
  /** Resolves once no more is claimed. */
  readonly stopped: Promise<void>;
  private dirty = false;
  private wake: () => void = () => undefined;
  private readonly pace: Pace;
  private readonly options: DrainOptions;

  constructor(options: DrainOptions) {
    this.options = options;
    this.pace = new Pace(performance.now());
    this.stopped = new Promise((resolve) => {
      this.tellStopped = resolve;
    });
  }

  get claimedJobs(): number {
    return this.claimed;
  }

  get isStopping(): boolean {
    return this.stopReason !== undefined;
  }

  /** Jobs that run at this moment. */
  get running(): number {
    return this.executing;
  }

  isHeld = (id: JobId): boolean => this.held.has(id) || this.strays.has(id);

  /** Claims nothing more; what has not started goes back. Jobs that run go on. */
  stopClaiming(why: string): void {
    if (this.stopReason !== undefined) return;
    this.stopReason = why;
    this.releaseBuffer(why);
    this.tellStopped();
    this.notify();
  }

  /** Waits for running functions this much longer, and then no more: the process ends. */
  leave(afterMs: number): void {
    setTimeout(() => {
      this.left = true;
      this.giveBackRunning();
      this.notify();
    }, afterMs).unref();
  }

  /** Functions that ignore their last abort. Their jobs go back; the process that runs them ends at once. */
  private giveBackRunning(): void {
    for (const held of this.held.values()) {
      if (held.state !== 'executing' || held.attempt.aborted?.kind !== 'stopping') continue;
      held.attempt.abandon();
      this.end(held, { kind: 'released', why: held.attempt.aborted.message, delayMs: 0 });
    }
  }

  /** Tells every running job to end. */
  abortAll(kind: 'stopping' | 'lost', why: string): void {
    for (const { attempt } of this.held.values()) attempt.abort(kind, why);
  }

  /** Until nothing is due, or the run is told to stop; then until everything held has ended and is settled. */
  async run(): Promise<void> {
    while (this.stopReason === undefined && !(await this.isDone())) {
      // Each pass claims, or waits for something to change.
    }
    if (this.stopReason !== undefined) return this.finishEarly();
    this.stopReason = 'nothing is due';
    await this.finish();
  }

  /** Executes jobs that were claimed elsewhere, and claims none. */
  async runOnly(jobs: readonly ClaimedJob[]): Promise<void> {
    this.accept(jobs);
    this.startBuffered();
    while (this.buffer.length > 0) {
      this.startBuffered();
      await this.changed(LOOK_EVERY_MS);
    }
    await this.finish();
  }

  /** Claims nothing more; waits until everything held has ended and is settled, also what no answer told of. */
  async finishEarly(): Promise<void> {
    this.stopClaiming('it ends early');
    await this.finish();
    const { pool, runId, settler } = this.options;
    if (settler.isStopped) return;
    const rows = await this.tolerate(() => findHeldForSure(pool, runId));
    for (const { id, attempts } of rows ?? []) this.giveBackStray(id, attempts);
    await settler.drained();
  }

  private async finish(): Promise<void> {
    while (this.executing > 0 && !this.left) await this.changed(LOOK_EVERY_MS);
    await this.options.settler.drained();
  }

  /** One pass. True: nothing is due, nothing runs, and there is no reason to wait. */
  private async isDone(): Promise<boolean> {
    const { settings, startedAt, claimer } = this.options;
    const now = performance.now();
    if (now - startedAt >= settings.maxTime) {
      this.stopClaiming('its time is over (--max-time)');
      return true;
    }
    this.releaseStale(now);
    this.startBuffered();
    const room = await this.room(now);
    if (room <= 0) {
      await this.changed(LOOK_EVERY_MS);
      if (this.buffer.length > 0) await this.tolerate(() => claimer.refresh());
      return this.claimedAll && this.executing === 0;
    }
    const found = await this.tolerate(() => this.claim(room));
    if (found === undefined || !found) {
      const idle = this.executing === 0 && this.buffer.length === 0;
      if (found === false && idle && performance.now() - startedAt >= settings.keepAlive) return true;
      await this.changed(Math.min(settings.poll, LOOK_EVERY_MS));
    }
    return false;
  }

  /** True: jobs were claimed. False: nothing is due. Undefined: not known yet. */
  private async claim(room: number): Promise<boolean | undefined> {
    this.claiming = true;
    try {
      return await this.claimNext(room);
    } finally {
      this.claiming = false;
    }
  }

  private async claimNext(room: number): Promise<boolean | undefined> {
    const { claimer, emit, runId } = this.options;
    const { jobs, exhausted, strays } = await claimer.claim(room);
    for (const { id, attempts } of strays) this.giveBackStray(id, attempts);
    if (jobs.length === 0) return exhausted ? false : undefined;
    emit('jobs.claimed', { run_id: runId, count: jobs.length, queue: jobs[0]?.queue ?? '' });
    this.accept(jobs);
    this.startBuffered();
    return true;
  }

  private accept(jobs: readonly ClaimedJob[]): void {
    if (this.claimed === 0 && jobs.length > 0) this.options.onFirstClaim();
    this.claimed += jobs.length;
    this.pace.claimed(jobs);
    const now = performance.now();
    for (const job of jobs) {
      const typesLimit = this.options.registry.get(job.type)?.maxAttempts ?? 1;
      const held: Held = { attempt: new Attempt(job, this.options.runId, typesLimit), state: 'buffered', since: now };
      this.held.set(job.id, held);
      this.buffer.push(held);
    }
    // Told to stop while the claim was on its way.
    if (this.stopReason !== undefined) this.releaseBuffer(this.stopReason);
  }

  /** How many jobs may be claimed now; zero or less: none. */
  private async room(now: number): Promise<number> {
    const { settings, settler } = this.options;
    if (now - this.besideAt >= LOOK_EVERY_MS) {
      this.besideAt = now;
      this.beside = (await this.tolerate(() => this.options.countBeside())) ?? this.beside;
    }
    const { slots } = this;
    if (slots === 0) return 0;
    const size = this.pace.bufferSize(settings.concurrency, now);
    // Claims come by the half buffer, and wait for outcomes that cannot be written.
    if (this.buffer.length > size / 2 || settler.backlog > 2 * (size + slots)) return 0;
    const room = slots - this.executing + size - this.buffer.length;
    return Math.min(room, (settings.maxJobs ?? Number.POSITIVE_INFINITY) - this.claimed);
  }

  /** Jobs that may run at once: what jobs of earlier runs take is not free. */
  private get slots(): number {
    return Math.max(0, this.options.settings.concurrency - this.beside);
  }

  private get claimedAll(): boolean {
    return this.claimed >= (this.options.settings.maxJobs ?? Number.POSITIVE_INFINITY) && this.buffer.length === 0;
  }

  private startBuffered(): void {
    while (this.stopReason === undefined && this.executing < this.slots) {
      const held = this.buffer.shift();
      if (held === undefined) return;
      this.start(held);
    }
  }

  private start(held: Held): void {
    const { attempt } = held;
    const { registry, report } = this.options;
    const type = registry.get(attempt.job.type);
    if (type === undefined) {
      report.unknownTypes.add(attempt.job.type);
      const delayMs = unknownTypeDelayMs(attempt.job.lastPauseMs);
      return this.end(held, { kind: 'released', why: 'no job function here has its type', delayMs });
    }
    if (attempt.job.crashes > 0 && attempt.maxAttempts === 1) {
      return this.end(held, { kind: 'failed', error: 'worker died; may have run' });
    }
    held.state = 'executing';
    held.since = performance.now();
    this.executing++;
    void this.options.execute(attempt, type).then((execution) => {
      this.executing--;
      this.pace.jobEnded();
      this.afterExecution(held, execution);
      this.startBuffered();
      this.notify();
    });
  }

  private afterExecution(held: Held, { outcome, abandoned, dropped }: Execution): void {
    const { report } = this.options;
    const { attempt } = held;
    if (dropped !== undefined) report.resultDropped(attempt, dropped);
    if (held.state === 'settling') return; // given back, as the process ends
    if (abandoned) {
      report.abandoned(attempt, performance.now() - held.since);
      this.stopClaiming('a function was abandoned');
    }
    if (outcome.kind === 'lost') {
      this.held.delete(attempt.job.id);
      report.takenAway(attempt, outcome.why);
    } else if (outcome.kind === 'committed') {
      this.held.delete(attempt.job.id);
      report.committed(attempt, performance.now() - held.since);
    } else {
      this.end(held, outcome);
    }
  }

  /** The attempt is over: its outcome is on its way to the database, and the job is held until it is there. */
  private end(held: Held, outcome: OpenOutcome): void {
    const type = this.options.registry.get(held.attempt.job.type);
    held.state = 'settling';
    this.options.report.ended(held.attempt, outcome, performance.now() - held.since);
    this.options.settler.add(settlementOf(held.attempt, type, outcome));
  }

  /** The outcome is written, or nobody wants it. */
  settled(id: JobId): void {
    this.held.delete(id);
    this.strays.delete(id);
    this.notify();
  }

  private releaseBuffer(why: string): void {
    for (const held of this.buffer.splice(0)) this.end(held, { kind: 'released', why, delayMs: 0 });
  }

  private releaseStale(now: number): void {
    const { paused } = this.options.claimer;
    const stale = (held: Held) => now - held.since > BUFFERED_AT_MOST_MS || paused.has(held.attempt.job.queue);
    if (!this.buffer.some(stale)) return;
    const all = this.buffer.splice(0);
    for (const held of all) {
      if (stale(held)) this.end(held, { kind: 'released', why: 'it waited here, or its queue was paused', delayMs: 0 });
      else this.buffer.push(held);
    }
  }

  /**
   * Compares what this process holds with what the database says, once a heartbeat: jobs that were cancelled,
   * deleted or taken away are aborted; rows that this process does not know of, seen twice, are given back.
   */
  async checkHeld(): Promise<void> {
    const before = [...this.held.values()].filter(({ state }) => state !== 'settling');
    const rows = await findHeldJobs(this.options.pool, this.options.runId);
    const rowOf = new Map(rows.map((row) => [row.id, row]));
    for (const held of before) {
      if (held.state === 'settling' || this.held.get(held.attempt.job.id) !== held) continue;
      const row = rowOf.get(held.attempt.job.id);
      if (row === undefined || row.attempts !== held.attempt.fence.attempts) {
        this.drop(held, 'lost', 'its row was deleted or changed');
      } else if (row.cancelled) {
        this.drop(held, 'cancelled', 'cancelled');
      }
    }
    // The answer to a claim may be slower than this look at what it did.
    const strays = this.claiming ? [] : rows.filter(({ id }) => !this.isHeld(id));
    for (const { id, attempts } of strays) {
      if (this.suspectedStrays.get(id) === attempts) this.giveBackStray(id, attempts);
    }
    this.suspectedStrays = new Map(strays.map(({ id, attempts }) => [id, attempts]));
  }

  private drop(held: Held, kind: 'lost' | 'cancelled', why: string): void {
    const waiting = this.buffer.indexOf(held);
    if (waiting < 0) return held.attempt.abort(kind, why);
    this.buffer.splice(waiting, 1);
    const { attempt } = held;
    if (kind === 'cancelled') {
      return this.end(held, CANCELLED);
    }
    this.held.delete(attempt.job.id);
    this.options.report.takenAway(attempt, why);
  }

  /** A claim whose answer was lost has made it this run's. */
  private giveBackStray(id: JobId, attempts: number): void {
    if (this.isHeld(id)) return;
    this.strays.add(id);
    this.options.settler.add({
      id,
      attempts,
      status: 'pending',
      count: 'released',
      charged: false,
      crashed: false,
      cancelled: false,
      delayMs: 0,
      result: null,
      error: null,
      freeKey: false,
    });
  }

  /** Undefined if the server does not answer just now: told, and tried again at the next pass. */
  private async tolerate<T>(ask: () => Promise<T>): Promise<T | undefined> {
    try {
      return await ask();
    } catch (error) {
      if (!isTransient(error)) throw error;
      this.options.report.waiting(error);
      await pause(this.options.settings.poll);
      return undefined;
    }
  }

  private notify(): void {
    this.dirty = true;
    this.wake();
  }

  /** Resolves when a job has ended or the run was told to stop, also since the last call, or after `atMostMs`. */
  private async changed(atMostMs: number): Promise<void> {
    if (!this.dirty) await this.woken(atMostMs);
    this.dirty = false;
  }

  private woken(atMostMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(done, atMostMs);
      function done() {
        clearTimeout(timer);
        resolve();
      }
      this.wake = done;
    });
  }
}
