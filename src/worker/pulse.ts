/** How often the main loop shows that it turns, and the thread looks whether it does. */
export const BLOCKED_CHECK_MS = 500;

const BEATS = 0;
const DEADLINE = 1;
const RENEWED = 2;
const CELLS = 3;

/** No job runs. */
const NEVER = 0n;

/**
 * Memory that the main loop and the heartbeat's thread share: a count that grows while the loop turns, when the earliest of
 * its jobs is past its timeout, and when the lease was last renewed. Counted in turns, not by the clock: a process that was
 * stopped and woken is not blocked.
 */
export class Pulse {
  readonly shared: SharedArrayBuffer;
  private readonly cells: BigInt64Array;

  constructor(shared = new SharedArrayBuffer(CELLS * BigInt64Array.BYTES_PER_ELEMENT)) {
    this.shared = shared;
    this.cells = new BigInt64Array(shared);
  }

  /** Called by the main loop while it turns. */
  beat(): void {
    Atomics.add(this.cells, BEATS, 1n);
  }

  beats(): number {
    return Number(Atomics.load(this.cells, BEATS));
  }

  /** When the first of the running jobs times out, as `now() + ms`; undefined: none runs. */
  setDeadline(atMs: number | undefined): void {
    Atomics.store(this.cells, DEADLINE, atMs === undefined ? NEVER : BigInt(Math.ceil(atMs)));
  }

  /** Whether a job runs that has a timeout to wait for. */
  get isWatched(): boolean {
    return Atomics.load(this.cells, DEADLINE) !== NEVER;
  }

  /** Milliseconds since that time; negative before it. */
  overdueBy(): number {
    const deadline = Atomics.load(this.cells, DEADLINE);
    return deadline === NEVER ? Number.NEGATIVE_INFINITY : monotonicMs() - Number(deadline);
  }

  /** The lease runs from this time on, as `now()`: that at which the server was asked, not that of its answer. */
  setRenewed(atMs: number): void {
    Atomics.store(this.cells, RENEWED, BigInt(Math.floor(atMs)));
  }

  /** Milliseconds since the lease began, or was last renewed. */
  sinceRenewed(): number {
    return monotonicMs() - Number(Atomics.load(this.cells, RENEWED));
  }
}

// The process's own: a job may leave a fake one in its place.
const readClock = process.hrtime.bigint.bind(process.hrtime);

/** A clock that all threads of the machine share and that never jumps. */
export const monotonicMs = (): number => Number(readClock() / 1_000_000n);
