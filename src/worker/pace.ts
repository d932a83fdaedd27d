import { IDS_AT_MOST } from '../queue/job';

/** Jobs that one claim or flush takes at most; about 31,000 jobs/s at this size, against 20,000 at a fifth of it. */
export const LARGEST_BATCH = IDS_AT_MOST;

/** Jobs that wait here at most: while one batch is executed the next is claimed, and claims of whole batches are cheapest. */
export const LARGEST_BUFFER = 2 * LARGEST_BATCH;

/** A buffer holds what ends in about this time, so that slow jobs are left to other workers. */
const BUFFER_SECONDS = 0.5;

/** Payloads that the buffer holds, about. */
const BUFFER_BYTES = 16_000_000;

/** How strongly the newest reading counts. */
const WEIGHT = 0.5;

/** Sizes the local buffer from how fast jobs have been ending. */
export class Pace {
  private perSecond = 0;
  private ended = 0;
  /** What those took together. */
  private tookMs = 0;
  private since: number;
  private size = 0;
  private meanBytes = 0;

  constructor(now: number) {
    this.since = now;
  }

  /** @param ms how long it ran */
  jobEnded(ms: number): void {
    this.ended++;
    this.tookMs += ms;
  }

  /** Large payloads make a small buffer. */
  claimed(jobs: readonly { payload: string | null }[]): void {
    if (jobs.length === 0) return;
    const bytes = jobs.reduce((sum, { payload }) => sum + (payload?.length ?? 0), 0);
    this.meanBytes += (bytes / jobs.length - this.meanBytes) * WEIGHT;
  }

  /** Jobs to hold beyond those that run. Grows fourfold at most, so that one quick job hoards nothing. */
  bufferSize(concurrency: number, now: number): number {
    const elapsedMs = now - this.since;
    if (elapsedMs >= 5) {
      this.perSecond += (this.read(elapsedMs, concurrency) - this.perSecond) * WEIGHT;
      this.since = now;
      this.ended = 0;
      this.tookMs = 0;
    }
    const wanted = Math.floor(this.perSecond * BUFFER_SECONDS);
    const light = Math.floor(BUFFER_BYTES / Math.max(1, this.meanBytes));
    this.size = Math.min(wanted, this.size * 4 + concurrency, LARGEST_BUFFER, light);
    return this.size;
  }

  /**
   * Jobs a second. Slow ones that began together end together: ten of a second each, in 6 ms, are no 1,600 a second, and a
   * run that took them for that held fifty which others could have begun. What is in the buffer waits for one to end, so
   * of jobs that take longer than the buffer's time none will have begun by then.
   */
  private read(elapsedMs: number, concurrency: number): number {
    if (this.ended === 0) return 0;
    const meanMs = this.tookMs / this.ended;
    if (meanMs > BUFFER_SECONDS * 1000) return 0;
    return Math.min((this.ended * 1000) / elapsedMs, (concurrency * 1000) / meanMs);
  }
}
