import { setTimeout as pause } from 'node:timers/promises';
import type { RunSettings } from '../config';
import { isTransient } from '../db/faults';
import type { Pool } from '../db/pool';
import type { Emit } from '../events';
import { findHeldForSure, findHeldJobs } from '../queue/held';
import type { ClaimedJob, JobId } from '../queue/job';
import { withoutPadding } from '../queue/names';
import type { Settled } from '../queue/settle';
import { setTimeout } from '../timers';
import { Attempt } from './attempt';
import { Bell } from './bell';
import type { Claimer } from './claimer';
import { afterAbandon, type Execution } from './execute';
import type { Held, HeldJobs } from './held-jobs';
import type { JobType } from './job-type';
import { CANCELLED, unknownTypeDelayMs } from './outcome';
import type { Registry } from './registry';
import type { Report } from './report';
import { Room } from './room';
import { type OpenOutcome, releaseOf, settlementOf } from './settlement';
import type { Settler } from './settler';
import { Turn } from './turn';

export interface DrainOptions {
  pool: Pool;
  runId: number;
  settings: RunSettings;
  held: HeldJobs;
  claimer: Pick<Claimer, 'claim' | 'refresh' | 'paused' | 'mayLookInMs'>;
  settler: Settler;
  registry: Registry;
  report: Report;
  emit: Emit;
  /** Executes one attempt, in this process or in one of its own. */
  execute(attempt: Attempt, type: JobType): Promise<Execution>;
  /** False: the lease may be over, and the jobs be others'. It will be known soon. */
  isLeaseSure(): boolean;
  /** Jobs have been claimed: from here on the lease must hold. */
  onClaim(): void;
  /** Slots that the jobs of earlier runs of this host still take. */
  countBeside(): Promise<number>;
  /** When the run began, as performance.now() tells it. */
  startedAt: number;
}

/** What waits longer in the buffer goes back, for a worker that is free. */
const BUFFERED_AT_MOST_MS = 2_000;
/** The longest wait for a change: times and pauses are looked at after it. */
const LOOK_EVERY_MS = 1_000;
/** Pause before a job is tried again that could not even be started. */
const NOT_STARTED_MS = 60_000;

/** Claims, executes and settles until nothing is due. */
export class Drain {
  private readonly buffer: Held[] = [];
  private executing = 0;
  private claiming = false;
  /** Why no more is claimed; undefined while it is. */
  private stopReason: string | undefined;
  /** Functions that go on although their attempt is over have nobody who waits for them. */
  private left = false;
  private tellStopped: () => void = () => undefined;
  /** Resolves once no more is claimed. */
  readonly stopped: Promise<void>;
  private readonly bell = new Bell();
  private readonly turn = new Turn(() => this.startBuffered());
  private readonly room: Room;
  private readonly options: DrainOptions;

  constructor(options: DrainOptions) {
    this.options = options;
    this.room = new Room(options.settings, () => this.tolerate(options.countBeside));
    this.stopped = new Promise((resolve) => {
      this.tellStopped = resolve;
    });
  }

  get claimedJobs(): number {
    return this.room.claimed;
  }

  get isStopping(): boolean {
    return this.stopReason !== undefined;
  }

  /** Jobs that run at this moment. */
  get running(): number {
    return this.executing;
  }

  /** Claims nothing more; what has not started goes back. Jobs that run go on. */
  stopClaiming(why: string): void {
    if (this.stopReason !== undefined) return;
    this.stopReason = why;
    this.releaseBuffer(why);
    this.tellStopped();
    this.bell.ring();
  }

  /** Waits for running functions this much longer, and then no more: the process ends. */
  leave(afterMs: number): void {
    setTimeout(() => {
      this.left = true;
      this.giveBackRunning();
      this.bell.ring();
    }, afterMs).unref();
  }

  /** Functions that ignore their last abort. Their jobs go back; the process that runs them ends at once. */
  private giveBackRunning(): void {
    for (const held of this.options.held.all()) {
      const type = this.options.registry.get(held.attempt.job.type);
      if (held.state !== 'executing' || type === undefined) continue;
      held.attempt.abandon();
      const outcome = afterAbandon(held.attempt, type);
      if (outcome.kind !== 'lost') this.end(held, outcome);
    }
  }

  /** Tells every running job to end. */
  abortAll(kind: 'stopping' | 'lost', why: string): void {
    for (const { attempt } of this.options.held.all()) attempt.abort(kind, why);
  }

  /**
   * Until nothing is due, or the run is told to stop; then until everything held has ended and is settled.
   *
   * @param beside slots that the jobs of earlier runs take, as they were when the run took its own
   */
  async run(beside: number): Promise<void> {
    this.room.setBeside(beside);
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
      await this.bell.wait(LOOK_EVERY_MS);
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
    while (this.executing > 0 && !this.left) await this.bell.wait(LOOK_EVERY_MS);
    await this.options.settler.drained();
  }

  /** One pass. True: nothing is due, nothing runs, and there is no reason to wait. */
  private async isDone(): Promise<boolean> {
    const { settings, startedAt, claimer, settler } = this.options;
    const elapsed = () => performance.now() - startedAt;
    if (elapsed() >= settings.maxTime) {
      this.stopClaiming('its time is over (--max-time)');
      return true;
    }
    this.releaseStale();
    this.startBuffered();
    const room = await this.room.measure(() => ({
      executing: this.executing,
      buffered: this.buffer.length,
      unwritten: settler.backlog,
    }));
    if (room <= 0) {
      if (this.room.isUsedUp && this.isIdle) return true;
      await this.bell.wait(LOOK_EVERY_MS);
      if (this.buffer.length > 0) await this.tolerate(() => claimer.refresh());
      return false;
    }
    const wasIdle = this.isIdle;
    const found = await this.tolerate(() => this.claim(room));
    if (found === true) return false;
    if (found === false && wasIdle && this.isIdle && elapsed() >= settings.keepAlive) return true;
    // What is not known yet is asked as soon as may be: a run that has done all there was ends then, and not a poll later.
    const unknownMs = found === undefined ? claimer.mayLookInMs : LOOK_EVERY_MS;
    await this.bell.wait(Math.min(settings.poll, LOOK_EVERY_MS, unknownMs));
    return false;
  }

  private get isIdle(): boolean {
    return this.executing === 0 && this.buffer.length === 0 && !this.options.held.areComingBack;
  }

  /** True: jobs were claimed. False: nothing is due. Undefined: not known yet. */
  private async claim(room: number): Promise<boolean | undefined> {
    const { claimer, emit, runId } = this.options;
    this.claiming = true;
    try {
      const { jobs, exhausted, strays } = await claimer.claim(room);
      for (const { id, attempts } of strays) this.giveBackStray(id, attempts);
      if (jobs.length === 0) return exhausted ? false : undefined;
      emit('jobs.claimed', { run_id: runId, count: jobs.length, queue: jobs[0]?.queue ?? '' });
      this.accept(jobs);
      this.startBuffered();
      return true;
    } finally {
      this.claiming = false;
    }
  }

  private accept(jobs: readonly ClaimedJob[]): void {
    const { registry, runId, held, onClaim } = this.options;
    if (jobs.length > 0) onClaim();
    this.room.jobsClaimed(jobs);
    const since = performance.now();
    for (const job of jobs) {
      const attempt = new Attempt(job, runId, registry.get(job.type)?.maxAttempts ?? 1);
      const one: Held = { attempt, state: 'buffered', since };
      held.add(one);
      this.buffer.push(one);
    }
    // Told to stop while the claim was on its way.
    if (this.stopReason !== undefined) this.releaseBuffer(this.stopReason);
  }

  /** A run that was frozen wakes with jobs that others may have long done: it begins none until it knows. */
  private startBuffered(): void {
    if (!this.options.isLeaseSure()) return;
    while (this.stopReason === undefined && this.executing < this.room.slots && this.buffer.length > 0) {
      if (this.turn.isSpent()) return;
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
    if (isUnreadable(attempt.job)) {
      this.options.emit('job.not_claimed', { job_id: attempt.job.id, why: UNREADABLE });
      return this.end(held, {
        kind: 'released',
        why: UNREADABLE,
        delayMs: unknownTypeDelayMs(attempt.job.lastPauseMs),
      });
    }
    if (attempt.job.crashes > 0 && attempt.maxAttempts === 1) {
      return this.end(held, { kind: 'failed', error: 'worker died; may have run' });
    }
    held.state = 'executing';
    held.since = performance.now();
    this.executing++;
    void this.runToEnd(held, type);
  }

  private async runToEnd(held: Held, type: JobType): Promise<void> {
    let execution: Execution;
    try {
      execution = await this.options.execute(held.attempt, type);
    } catch (error) {
      execution = notStarted(error);
    }
    this.executing--;
    const ms = performance.now() - held.since;
    this.room.jobEnded(ms);
    this.afterExecution(held, execution, ms);
    this.startBuffered();
    this.bell.ring();
  }

  private afterExecution(held: Held, { outcome, abandoned, dropped }: Execution, ms: number): void {
    const { report, held: jobs } = this.options;
    const { attempt } = held;
    if (dropped !== undefined) report.resultDropped(attempt, dropped);
    if (held.state === 'settling') return; // given back, as the process ends
    if (abandoned) {
      report.abandoned(attempt, ms);
      this.stopClaiming('a function was abandoned');
    }
    if (outcome.kind === 'lost') report.takenAway(attempt, outcome.why);
    else if (outcome.kind === 'committed') report.committed(attempt, ms);
    else return this.end(held, outcome);
    jobs.delete(attempt.job.id);
  }

  /** The attempt is over: its outcome is on its way to the database, and the job is held until it is there. */
  private end(held: Held, outcome: OpenOutcome): void {
    const { registry, settler } = this.options;
    held.state = 'settling';
    held.isComingBack = (outcome.kind === 'released' || outcome.kind === 'retry') && outcome.delayMs === 0;
    held.ending = { outcome, ms: performance.now() - held.since };
    settler.add(settlementOf(held.attempt, registry.get(held.attempt.job.type), outcome));
  }

  /** The outcome is written, or nobody wants it. */
  settled(settled: Settled): void {
    const { held: jobs, report } = this.options;
    const { id } = settled.settlement;
    const held = jobs.get(id);
    if (held?.ending !== undefined) report.settled(held.attempt, held.ending, settled);
    jobs.delete(id);
    this.bell.ring();
  }

  /** A job's outcome is being written without its result. */
  resultNotStored(id: JobId, why: string): void {
    const held = this.options.held.get(id);
    if (held !== undefined) this.options.report.resultDropped(held.attempt, why);
  }

  private releaseBuffer(why: string): void {
    for (const held of this.buffer.splice(0)) this.end(held, { kind: 'released', why, delayMs: 0 });
  }

  private releaseStale(): void {
    const { paused } = this.options.claimer;
    const now = performance.now();
    const whyBack = (held: Held): string | undefined => {
      if (paused.has(withoutPadding(held.attempt.job.queue))) return 'its queue was paused';
      return now - held.since > BUFFERED_AT_MOST_MS ? 'it waited too long here' : undefined;
    };
    if (!this.buffer.some(whyBack)) return;
    for (const held of this.buffer.splice(0)) {
      const why = whyBack(held);
      if (why === undefined) this.buffer.push(held);
      else this.end(held, { kind: 'released', why, delayMs: 0 });
    }
  }

  /**
   * Compares what this process holds with what the database says, once a heartbeat: jobs that were cancelled,
   * deleted or taken away are aborted; rows that this process does not know of are given back.
   */
  async checkHeld(): Promise<void> {
    const { held, pool, runId, report } = this.options;
    const before = held.all();
    const rows = await findHeldJobs(pool, runId);
    const { gone, cancelled, strays } = held.compare(before, rows, this.claiming);
    for (const one of gone) {
      const why = 'its row was deleted or changed';
      if (!this.unbuffer(one)) one.attempt.abort('lost', why);
      else {
        held.delete(one.attempt.job.id);
        report.takenAway(one.attempt, why);
      }
    }
    for (const one of cancelled) {
      if (this.unbuffer(one)) this.end(one, CANCELLED);
      else one.attempt.abort('cancelled', 'cancelled');
    }
    for (const { id, attempts } of strays) this.giveBackStray(id, attempts);
  }

  /** False: it has left the buffer. */
  private unbuffer(held: Held): boolean {
    const waiting = this.buffer.indexOf(held);
    if (waiting >= 0) this.buffer.splice(waiting, 1);
    return waiting >= 0;
  }

  /** A claim whose answer was lost has made it this run's. */
  private giveBackStray(id: JobId, attempts: number): void {
    if (this.options.held.addReturning(id)) this.options.settler.add(releaseOf(id, attempts));
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
}

/**
 * MySQL reads JSON that is larger than max_allowed_packet as an empty text, with a warning (1301) that nobody sees. No
 * JSON is empty: what was refused as such was a payload of 60 kB, whole in its row.
 */
const isUnreadable = ({ payload, checkpoint }: ClaimedJob): boolean => payload === '' || checkpoint === '';

const UNREADABLE = 'its payload or checkpoint is larger than max_allowed_packet, so it cannot be read; raise that';

/** Not the job's fault: memory or processes are short. */
const notStarted = (error: unknown): Execution => ({
  outcome: { kind: 'released', why: `it could not be started: ${String(error)}`, delayMs: NOT_STARTED_MS },
  abandoned: false,
});
