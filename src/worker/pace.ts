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
  private since: number;
  private size = 0;
  private meanBytes = 0;

  constructor(now: number) {
    this.since = now;
  }

  jobEnded(): void {
    this.ended++;
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
      const reading = (this.ended * 1000) / elapsedMs;
      this.perSecond += (reading - this.perSecond) * WEIGHT;
      this.since = now;
      this.ended = 0;
    }
    const wanted = Math.floor(this.perSecond * BUFFER_SECONDS);
    const light = Math.floor(BUFFER_BYTES / Math.max(1, this.meanBytes));
    this.size = Math.min(wanted, this.size * 4 + concurrency, LARGEST_BUFFER, light);
    return this.size;
  }
}
