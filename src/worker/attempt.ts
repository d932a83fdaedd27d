import type { ClaimedJob, Fence } from '../queue/job';

/** Why an attempt was told to end. */
export type AbortKind =
  | 'timeout'
  | 'cancelled'
  /** The run ends: the job is given back. */
  | 'stopping'
  /** The job, or the whole run's lease, is somebody else's. */
  | 'lost'
  /** The function left a rejection or an exception that nobody caught, or called process.exit. */
  | 'stray';

/** The reason of an attempt's signal. */
export class AttemptAborted extends Error {
  override readonly name = 'AbortError';
  readonly kind: AbortKind;
  constructor(kind: AbortKind, why: string) {
    super(why);
    this.kind = kind;
  }
}

/** One attempt at a job, from its claim to its outcome. */
export class Attempt {
  readonly job: ClaimedJob;
  readonly fence: Fence;
  /** The attempt after which a failure is final. */
  readonly maxAttempts: number;
  /** Its outcome is decided. */
  isOver = false;
  private readonly controller = new AbortController();
  private readonly abandonment = new AbortController();
  /** Resolves on the first abort. */
  readonly whenAborted: Promise<AttemptAborted>;

  constructor(job: ClaimedJob, runId: number, typesLimit: number) {
    this.job = job;
    this.fence = { runId, id: job.id, attempts: job.attempts };
    this.maxAttempts = Math.max(1, job.maxAttempts ?? typesLimit);
    this.whenAborted = new Promise((resolve) => {
      this.signal.addEventListener('abort', () => resolve(this.signal.reason as AttemptAborted), { once: true });
    });
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** Aborts when nobody waits for the function any more: what it holds in the database is let go. */
  get abandoned(): AbortSignal {
    return this.abandonment.signal;
  }

  abandon(): void {
    this.isOver = true;
    this.abandonment.abort();
  }

  get aborted(): AttemptAborted | undefined {
    return this.signal.aborted ? (this.signal.reason as AttemptAborted) : undefined;
  }

  /** The first reason stands. */
  abort(kind: AbortKind, why: string): void {
    if (!this.signal.aborted) this.controller.abort(new AttemptAborted(kind, why));
  }

  /** Names the job in an event. */
  get facts(): { job_id: ClaimedJob['id']; job_type: string; attempt: number } {
    return { job_id: this.job.id, job_type: this.job.type, attempt: this.job.attempts };
  }
}
