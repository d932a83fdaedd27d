/** Jobs that one claim takes at most: 31,000 jobs/s at this size, against 20,000 at a fifth of it. */
export const LARGEST_BATCH = 1_000;

/** A buffer holds what ends in about this time, so that slow jobs are left to other workers. */
const BUFFER_SECONDS = 0.5;

/** How strongly the newest reading counts. */
const WEIGHT = 0.5;

/** Sizes the local buffer from how fast jobs have been ending. */
export class Pace {
  private perSecond = 0;
  private ended = 0;
  private since: number;
  private size = 0;

  constructor(now: number) {
    this.since = now;
  }

  jobEnded(): void {
    this.ended++;
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
    this.size = Math.min(wanted, this.size * 4 + concurrency, LARGEST_BATCH);
    return this.size;
  }
}
