import { Late, until } from './until.mjs';

/** One run after the other, by way of a proxy that is theirs alone: what is caught there belongs to the run that is live. */
export class Lane {
  /**
   * @param {import('./proxy.mjs').MeddlingProxy} proxy
   * @param {import('./fleet.mjs').Fleet} fleet
   */
  constructor(proxy, fleet) {
    this.proxy = proxy;
    this.fleet = fleet;
  }

  /**
   * @param {import('./stage.mjs').Stage} stage
   * @param {import('./fleet.mjs').FleetOptions} options
   */
  static async open(stage, options) {
    const proxy = await stage.openProxy();
    const fleet = stage.startFleet({ ...options, size: 1, url: stage.database.url('worker', proxy.url) });
    return new Lane(proxy, fleet);
  }

  /**
   * Waits until the run that is live comes to this step, and keeps it there.
   *
   * @param {import('./steps.mjs').Step} step
   * @param {number} deadlineMs
   * @returns {Promise<{ number: number, pid: number, letGo: () => void } | undefined>} undefined: none
   *   came by, or it has ended
   */
  async catchAt({ name, match, fate }, deadlineMs) {
    const trap = this.proxy.trap(match, fate);
    try {
      await until(`a run is at ${name}`, () => trap.all[0], { deadlineMs, everyMs: 5 });
      const [victim] = this.fleet.live;
      if (victim === undefined) trap.remove();
      else return { number: victim.number, pid: victim.pid, letGo: trap.remove };
    } catch (error) {
      trap.remove();
      if (!(error instanceof Late)) throw error;
    }
    return undefined;
  }
}

/**
 * The steps in an order of the seed's, for so many lanes: each gets its own, and all come by about equally often.
 *
 * @template {{ name: string }} T
 * @param {readonly T[]} steps no fewer than lanes
 * @param {number} lanes
 * @param {import('../seeded.mjs').Seeded} random
 * @returns {Hand<T>[]} by lane
 */
export function dealSteps(steps, lanes, random) {
  const order = random.shuffle(steps);
  return Array.from({ length: lanes }, (_, lane) => new Hand(order.filter((_, place) => place % lanes === lane)));
}

/**
 * The steps of one lane, round and round, and which of them it has not met yet.
 *
 * @template {{ name: string }} T
 */
export class Hand {
  #steps;
  #turn = 0;
  #left;

  /** @param {readonly T[]} steps in an order of the seed's */
  constructor(steps) {
    this.#steps = steps;
    this.#left = new Set(steps.map(({ name }) => name));
  }

  /** The names of the steps that were not met. */
  get left() {
    return [...this.#left];
  }

  /**
   * @param {{ leftOnly: boolean }} what leftOnly: one that was not met yet, as long as there is one
   * @returns {T}
   */
  next({ leftOnly }) {
    const steps = this.#steps;
    const isWanted = (/** @type {T} */ { name }) => !leftOnly || this.#left.size === 0 || this.#left.has(name);
    for (;;) {
      const step = /** @type {T} */ (steps[this.#turn++ % steps.length]);
      if (isWanted(step)) return step;
    }
  }

  /** @param {string} name of a step at which a run was struck */
  met(name) {
    this.#left.delete(name);
  }
}
