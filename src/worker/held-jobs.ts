import type { HeldJob } from '../queue/held';
import type { JobId } from '../queue/job';
import type { Attempt } from './attempt';
import type { Ending } from './report';

/** A job from its claim until its outcome is in the database. */
export interface Held {
  attempt: Attempt;
  state: 'buffered' | 'executing' | 'settling';
  /** When it came into this state, as performance.now() tells it. */
  since: number;
  /** It is on its way back, and due again once it is there. */
  isComingBack?: boolean;
  /** Its outcome, once it is on its way to the database. */
  ending?: Ending;
}

/** What the database says of the run's jobs, against what the run knows. */
export interface Difference {
  /** Deleted, edited, or somebody else's. */
  gone: Held[];
  cancelled: Held[];
  /** Rows of claims that got no answer. */
  strays: { id: JobId; attempts: number }[];
}

/** Every job that this process holds. None of them is claimed again before its outcome is written. */
export class HeldJobs {
  private readonly held = new Map<JobId, Held>();
  /** Strays on their way back. */
  private readonly returning = new Set<JobId>();
  /** Seen once: by id, the attempt. */
  private suspected = new Map<JobId, number>();

  has = (id: JobId): boolean => this.held.has(id) || this.returning.has(id);

  get = (id: JobId): Held | undefined => this.held.get(id);

  add(held: Held): void {
    this.held.set(held.attempt.job.id, held);
  }

  delete(id: JobId): void {
    this.held.delete(id);
    this.returning.delete(id);
  }

  /** False: it is on its way back already, or held after all. */
  addReturning(id: JobId): boolean {
    if (this.has(id)) return false;
    this.returning.add(id);
    return true;
  }

  /** True: some are on their way back, so that a look at what is due may have come too early for them. */
  get areComingBack(): boolean {
    return this.returning.size > 0 || this.all().some(({ isComingBack }) => isComingBack === true);
  }

  all(): Held[] {
    return [...this.held.values()];
  }

  /**
   * Compares with the rows of a look at the database that began when `before` was all that was held.
   *
   * @param claiming a claim is on its way, whose rows the look may have seen
   */
  compare(before: readonly Held[], rows: readonly HeldJob[], claiming: boolean): Difference {
    const rowOf = new Map(rows.map((row) => [row.id, row]));
    const difference: Difference = { gone: [], cancelled: [], strays: [] };
    for (const held of before) {
      const { id } = held.attempt.job;
      if (held.state === 'settling' || this.held.get(id) !== held) continue;
      const row = rowOf.get(id);
      if (row?.attempts !== held.attempt.fence.attempts) difference.gone.push(held);
      else if (row.cancelled) difference.cancelled.push(held);
    }
    const unknown = claiming ? [] : rows.filter(({ id }) => !this.has(id));
    // The answer to a claim may be slower than this look at what it did: only what is seen twice is one.
    difference.strays = unknown.filter(({ id, attempts }) => this.suspected.get(id) === attempts);
    this.suspected = new Map(unknown.map(({ id, attempts }) => [id, attempts]));
    return difference;
  }
}
