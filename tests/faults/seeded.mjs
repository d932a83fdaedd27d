const TWO_TO_32 = 2 ** 32;

/**
 * Numbers that look like chance and are the same for the same seed (mulberry32). Whoever chooses beside others takes a
 * fork: then the order in which they ask does not matter.
 */
export class Seeded {
  #state;

  /** @param {number} seed */
  constructor(seed) {
    this.#state = seed >>> 0;
  }

  /** From 0 to 1, 1 not among them. */
  next() {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / TWO_TO_32;
  }

  /**
   * A whole number, both ends among them.
   *
   * @param {number} from
   * @param {number} to
   */
  int(from, to) {
    return from + Math.floor(this.next() * (to - from + 1));
  }

  /** @param {number} share 0 to 1 */
  chance(share) {
    return this.next() < share;
  }

  /**
   * @template T
   * @param {readonly T[]} list
   * @returns {T | undefined} undefined: there is none
   */
  pick(list) {
    return list[Math.floor(this.next() * list.length)];
  }

  /**
   * A copy in another order.
   *
   * @template T
   * @param {readonly T[]} list
   */
  shuffle(list) {
    return list
      .map((one) => ({ one, place: this.next() }))
      .sort((a, b) => a.place - b.place)
      .map(({ one }) => one);
  }

  /**
   * One of the names, each as often as its weight says.
   *
   * @param {Readonly<Record<string, number>>} weights
   */
  pickWeighted(weights) {
    const entries = Object.entries(weights);
    let rest = this.next() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [name, weight] of entries) {
      rest -= weight;
      if (rest < 0) return name;
    }
    return entries.at(-1)?.[0] ?? '';
  }

  /** @param {string} name of who chooses */
  fork(name) {
    return new Seeded(Math.imul(hash(name), 0x9e3779b1) ^ this.#state);
  }
}

/** @param {string} text FNV-1a */
function hash(text) {
  let value = 0x811c9dc5;
  for (const byte of Buffer.from(text)) value = Math.imul(value ^ byte, 0x01000193);
  return value >>> 0;
}
