import { setImmediate } from '../timers';

/** A claim is five round trips, and each answer waits for the turn: at 3 ms a drain was 2 % slower. */
const LONGEST_MS = 1;

/**
 * How long jobs that end at once may follow each other within one turn of the event loop. A whole buffer of them in one
 * turn keeps the answers to the next claim waiting, and the server idle.
 */
export class Turn {
  private startedAt: number | undefined;
  private readonly onNext: () => void;

  /** @param onNext called in the turn after one that was asked about */
  constructor(onNext: () => void) {
    this.onNext = onNext;
  }

  /** True: what comes next waits for the next turn. The first question of a turn begins it. */
  isSpent(): boolean {
    const now = performance.now();
    if (this.startedAt === undefined) {
      this.startedAt = now;
      setImmediate(() => {
        this.startedAt = undefined;
        this.onNext();
      });
    }
    return now - this.startedAt > LONGEST_MS;
  }
}
