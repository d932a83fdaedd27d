import { isConnectionLost } from '../db/faults';
import { messageOf } from '../errors';
import type { DeadLetters, Emit, RunCounts } from '../events';
import type { Settled } from '../queue/settle';
import type { Attempt } from './attempt';
import type { OpenOutcome } from './settlement';

/** How an attempt ended, and after what time. */
export interface Ending {
  outcome: OpenOutcome;
  ms: number;
}

/** What the run tells: an event for each job once its outcome is written, and a sum at the end. */
export class Report {
  readonly unknownTypes = new Set<string>();
  readonly counts: RunCounts = { claimed: 0, completed: 0, retried: 0, failed: 0, released: 0 };
  private readonly dead = new Map<string, DeadLetters>();
  private toldWaiting = false;
  private readonly emit: Emit;

  constructor(emit: Emit) {
    this.emit = emit;
  }

  committed(attempt: Attempt, ms: number): void {
    this.counts.completed++;
    this.emit('job.completed', { ...attempt.facts, ms: Math.round(ms) });
  }

  /** An outcome is written, or was not wanted any more. */
  settled(attempt: Attempt, ending: Ending, settled: Settled): void {
    this.toldWaiting = false;
    if (settled.how === 'lost') return this.takenAway(attempt, settled.why);
    if (settled.how === 'completed') return this.committed(attempt, ending.ms);
    const { settlement } = settled;
    this.counts[settlement.count]++;
    if (settlement.status === 'failed' && !settlement.cancelled) this.remember(attempt, settlement.error ?? '');
    this.tell(attempt, ending, settlement.status === 'failed' ? (settlement.error ?? '') : undefined);
  }

  private tell(attempt: Attempt, { outcome, ms: exactMs }: Ending, failure: string | undefined): void {
    const { emit } = this;
    const { facts } = attempt;
    const ms = Math.round(exactMs);
    if (outcome.kind === 'crashed')
      emit('job.crashed', { ...facts, how: outcome.how, crashes: attempt.job.crashes + 1 });
    if (failure !== undefined) return emit('job.failed', { ...facts, ms, error: failure });
    if (outcome.kind === 'completed') emit('job.completed', { ...facts, ms });
    if (outcome.kind === 'retry')
      emit('job.retried', { ...facts, ms, delay_ms: outcome.delayMs, error: outcome.error });
    if (outcome.kind === 'released') emit('job.released', { ...facts, why: outcome.why });
  }

  private remember({ job }: Attempt, error: string): void {
    const group = this.dead.get(job.type) ?? { job_type: job.type, job_ids: [], error };
    group.job_ids.push(job.id);
    this.dead.set(job.type, group);
  }

  resultDropped(attempt: Attempt, why: string): void {
    this.emit('job.result_dropped', { ...attempt.facts, why });
  }

  abandoned(attempt: Attempt, ms: number): void {
    this.emit('job.abandoned', { ...attempt.facts, ms: Math.round(ms) });
  }

  takenAway(attempt: Attempt, why: string): void {
    this.emit('job.taken_away', { ...attempt.facts, why });
  }

  /** Told once until the server answers again. */
  waiting(error: unknown): void {
    if (this.toldWaiting) return;
    this.toldWaiting = true;
    const what = isConnectionLost(error) ? 'does not answer' : 'cannot do it just now';
    this.emit('run.waiting', { why: `the database server ${what} (${messageOf(error)})` });
  }

  /** Jobs that failed for good; cancelled ones are none, as nobody need look after them. */
  get deadLetters(): number {
    return [...this.dead.values()].reduce((sum, { job_ids }) => sum + job_ids.length, 0);
  }

  /** The one line that cron mails: what failed for good. */
  tellDeadLetters(): void {
    const count = this.deadLetters;
    if (count > 0) this.emit('run.dead_letters', { count, groups: [...this.dead.values()] });
  }
}
