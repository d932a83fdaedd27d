import { join } from 'node:path';
import { WrongClock } from './wrong-clock.mjs';

/** No two of the times that it shows lie nearer to each other: less than a scene lasts. */
const STEP_SECONDS = 1_200;

/** What reads the clock just after a jump may be told of just before it. */
const BESIDE_MS = 1_000;

/** The sampler's own looks go by this clock: by it a row may be held by nobody for hours. */
const NEVER_SECONDS = 1e6 * 3_600;

/** The clock of a scene's server. No moment of it comes twice, so that what it has written can be told on the true clock. */
export class ServerClock {
  #clock;
  /** @type {{ offset: number, from: number }[]} offset: in seconds; from: on the true clock */
  #spans = [];

  /**
   * @param {WrongClock} clock
   * @param {number} offset in seconds
   */
  constructor(clock, offset) {
    this.#clock = clock;
    this.#jump(offset);
  }

  /**
   * Starts the stage's server anew, with a clock that it has alone.
   *
   * @param {import('./stage.mjs').Stage} stage
   * @param {{ at?: Date, env?: NodeJS.ProcessEnv }} [options] at: what it shows; env: for the server
   */
  static async begin(stage, { at = new Date(), env = {} } = {}) {
    const { server, sampler } = stage;
    await server.stop();
    const wrong = new WrongClock(join(stage.folder, 'clock'));
    const clock = new ServerClock(wrong, offsetTo(at));
    server.env = { ...wrong.env, ...env };
    await server.start();
    sampler.toleranceSeconds = NEVER_SECONDS;
    stage.expect.isServerClockSet = true;
    stage.toTrueMs = (serverMs) => clock.#toTrueMs(serverMs);
    return clock;
  }

  /** @param {Date} time one that it has not shown yet */
  show(time) {
    this.#jump(offsetTo(time));
  }

  /** @param {number} steps of twenty minutes, and on until that is a time that it has not shown yet */
  forwards(steps) {
    this.#jump(this.#findFree(steps, 1));
  }

  /** @param {number} steps of twenty minutes, and back until that is a time that it has not shown yet */
  back(steps) {
    this.#jump(this.#findFree(steps, -1));
  }

  /** Ahead of all that it has ever shown: whatever waits for a time need not wait any more. */
  beyondAll() {
    this.#jump(Math.max(...this.#spans.map(({ offset }) => offset)) + 6 * STEP_SECONDS);
  }

  /**
   * @param {number} steps
   * @param {1 | -1} way
   */
  #findFree(steps, way) {
    const isTaken = (/** @type {number} */ offset) =>
      this.#spans.some((span) => Math.abs(span.offset - offset) < STEP_SECONDS);
    let offset = (this.#spans.at(-1)?.offset ?? 0) + way * steps * STEP_SECONDS;
    while (isTaken(offset)) offset += way * STEP_SECONDS;
    return offset;
  }

  /** @param {number} offset */
  #jump(offset) {
    this.#clock.set(offset);
    this.#spans.push({ offset, from: Date.now() });
  }

  /**
   * NaN for a time that was still to come when the clock left for another one: it never was.
   *
   * @param {number} serverMs
   */
  #toTrueMs(serverMs) {
    const span = this.#spans.find(({ offset, from }, index) => {
      const trueMs = serverMs - offset * 1_000;
      const until = this.#spans[index + 1]?.from ?? Number.POSITIVE_INFINITY;
      return trueMs >= from - BESIDE_MS && trueMs < until;
    });
    return span === undefined ? Number.NaN : serverMs - span.offset * 1_000;
  }
}

/** @param {Date} time */
const offsetTo = (time) => (time.getTime() - Date.now()) / 1_000;
