import { setTimeout as pause } from 'node:timers/promises';
import { createConnection } from 'mysql2/promise';

/** The server has no connection left: max_connections. */
const TOO_MANY = 1040;

const NEXT_TRY_MS = 20;

/** To open a connection takes a while, the more so where others keep the machine busy. */
const AT_ONCE = 8;

/** Takes every connection that the server has to give, and each one that becomes free, as somebody else's app does. */
export class Hogs {
  #url;
  /** @type {import('mysql2/promise').Connection[]} */
  #held = [];
  #stopping = new AbortController();
  #working;
  #refusals = 0;

  /** @param {string} url of a user who has no connection kept for him */
  constructor(url) {
    this.#url = url;
    this.#working = Promise.all(Array.from({ length: AT_ONCE }, () => this.#work()));
  }

  /** Times that it was refused one: from the first on there was none left. */
  get refusals() {
    return this.#refusals;
  }

  /** Gives all of them back. */
  async release() {
    this.#stopping.abort();
    await this.#working;
    for (const connection of this.#held) connection.destroy();
  }

  async #work() {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        const connection = await createConnection({ uri: this.#url, connectTimeout: 2_000 });
        connection.on('error', () => undefined);
        this.#held.push(connection);
      } catch (error) {
        if (/** @type {{ errno?: number }} */ (error).errno === TOO_MANY) this.#refusals++;
        await pause(NEXT_TRY_MS, undefined, { signal }).catch(() => undefined);
      }
    }
  }
}
