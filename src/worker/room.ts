import type { RunSettings } from '../config';
import type { ClaimedJob } from '../queue/job';
import { LARGEST_BATCH, Pace } from './pace';

/** Earlier runs are looked at this often. */
const LOOK_EVERY_MS = 1_000;

/** What a run has in hand. */
export interface InHand {
  executing: number;
  buffered: number;
  /** Outcomes that wait to be written. */
  unwritten: number;
}

/** How many jobs a run may claim: what it can start soon, and no more than it is allowed to. */
export class Room {
  /** Jobs claimed so far. */
  claimed = 0;
  private beside = 0;
  private lookAt = 0;
  private readonly pace = new Pace(performance.now());
  private readonly settings: RunSettings;
  private readonly countBeside: () => Promise<number | undefined>;

  /** @param countBeside slots that the jobs of earlier runs of this host take; undefined: not known now */
  constructor(settings: RunSettings, countBeside: () => Promise<number | undefined>) {
    this.settings = settings;
    this.countBeside = countBeside;
  }

  /** What jobs of earlier runs take has just been asked. */
  setBeside(slots: number): void {
    this.beside = slots;
    this.lookAt = performance.now() + LOOK_EVERY_MS;
  }

  /** Jobs that may run at once: what jobs of earlier runs take is not free. */
  get slots(): number {
    return Math.max(0, this.settings.concurrency - this.beside);
  }

  /** `--max-jobs` are claimed. */
  get isUsedUp(): boolean {
    return this.claimed >= (this.settings.maxJobs ?? Number.POSITIVE_INFINITY);
  }

  jobsClaimed(jobs: readonly ClaimedJob[]): void {
    this.claimed += jobs.length;
    this.pace.claimed(jobs);
  }

  /** @param ms how long it ran */
  jobEnded(ms: number): void {
    this.pace.jobEnded(ms);
  }

  /** How many jobs may be claimed now; zero or less: none. */
  async measure(inHand: () => InHand): Promise<number> {
    const now = performance.now();
    if (now >= this.lookAt) this.setBeside((await this.countBeside()) ?? this.beside);
    const { slots, settings } = this;
    if (slots === 0) return 0;
    const { executing, buffered, unwritten } = inHand();
    const size = this.pace.bufferSize(settings.concurrency, now);
    // Claims come by the half buffer, and wait for outcomes that cannot be written.
    if (buffered > size / 2 || unwritten > 2 * (size + slots)) return 0;
    const allowed = (settings.maxJobs ?? Number.POSITIVE_INFINITY) - this.claimed;
    return Math.min(slots - executing + size - buffered, allowed, LARGEST_BATCH);
  }
}
