import { setTimeout as pause } from 'node:timers/promises';
import { createConnection } from 'mysql2/promise';

/** A second insert with a unique_key. */
const DUPLICATE = 1062;

const RECONNECT_MS = 200;

/**
 * @typedef {object} ProducerOptions
 * @property {Readonly<Record<string, number>>} mix the types to insert, and how often each
 * @property {number} jobsPerSecond all producers together
 * @property {number} [size] producers at once; 2
 * @property {number} [largestBatch] rows of one INSERT; 40
 * @property {string} [url] of the producer; by way of a proxy, say
 * @property {number} [rolledBack] share of the transactions that end with ROLLBACK; 0.05
 * @property {number} [keyed] share of the rows with a unique_key, some of which is there already; 0.1
 * @property {number} [later] share of the rows that are due a little later; 0.1
 * @property {(type: string, random: import('../seeded.mjs').Seeded) => Record<string, unknown>} [payloadOf] what is in the payload beside
 *   token and canary
 */

/** Apps that insert rows all the while, and write down outside of the database what has become of them. */
export class Producers {
  #options;
  #home;
  #stopping = new AbortController();
  /** @type {Promise<void>[]} */
  #all = [];
  #inserted = 0;

  /**
   * @param {ProducerOptions & { url: string }} options
   * @param {{ ledger: import('./ledger.mjs').Ledger, canary: string, random: import('../seeded.mjs').Seeded }} home
   */
  constructor(options, home) {
    this.#options = options;
    this.#home = home;
    for (let number = 0; number < (options.size ?? 2); number++) {
      const producing = this.#produce(home.random.fork(`producer ${number}`));
      // A fault of the harness itself is told by stop().
      producing.catch(() => undefined);
      this.#all.push(producing);
    }
  }

  /** Rows that are committed for sure. */
  get inserted() {
    return this.#inserted;
  }

  async stop() {
    this.#stopping.abort();
    await Promise.all(this.#all);
  }

  /** @param {import('../seeded.mjs').Seeded} random */
  async #produce(random) {
    const { url, jobsPerSecond, size = 2, largestBatch = 40 } = this.#options;
    const { signal } = this.#stopping;
    /** @type {import('mysql2/promise').Connection | undefined} */
    let connection;
    while (!signal.aborted) {
      const began = performance.now();
      const rows = this.#makeRows(random.int(1, largestBatch), random);
      try {
        connection ??= await connect(url);
        await this.#insert(connection, rows, random);
      } catch (error) {
        connection?.destroy();
        connection = undefined;
        if (/** @type {{ code?: string }} */ (error).code === undefined) throw error;
        await rest(RECONNECT_MS, signal);
      }
      await rest((rows.length * size * 1000) / jobsPerSecond - (performance.now() - began), signal);
    }
    connection?.destroy();
  }

  /**
   * @param {import('mysql2/promise').Connection} connection
   * @param {Row[]} rows
   * @param {import('../seeded.mjs').Seeded} random
   */
  async #insert(connection, rows, random) {
    const isUndone = random.chance(this.#options.rolledBack ?? 0.05);
    let committing = false;
    try {
      await connection.query('START TRANSACTION');
      await connection.query(
        `INSERT INTO background_jobs (job_type, payload, unique_key, run_at) VALUES ${rows.map(valuesOf).join()}`,
        rows.flatMap(({ type, payload, key }) => [type, payload, key]),
      );
      if (isUndone) await connection.query('ROLLBACK');
      else {
        committing = true;
        await connection.query('COMMIT');
      }
      this.#note(rows, isUndone ? 'rolled back' : 'committed');
    } catch (error) {
      const { errno, fatal } = /** @type {{ errno?: number, fatal?: boolean }} */ (error);
      // An error that the server has answered to COMMIT has undone it; no answer says nothing.
      const isUnknown = committing && (fatal === true || errno === undefined || errno < 0);
      this.#note(rows, isUnknown ? 'unknown' : 'rolled back');
      if (errno !== DUPLICATE) throw error;
      await connection.query('ROLLBACK');
    }
  }

  /**
   * @param {number} count
   * @param {import('../seeded.mjs').Seeded} random
   * @returns {Row[]}
   */
  #makeRows(count, random) {
    const { mix, keyed = 0.1, later = 0.1, payloadOf = () => ({}) } = this.#options;
    const { ledger, canary } = this.#home;
    return Array.from({ length: count }, () => {
      const token = ledger.newToken();
      const type = random.pickWeighted(mix);
      const payload = JSON.stringify({ token, canary: `${canary}-${token}`, ...payloadOf(type, random) });
      // Now and then the key of an earlier row: the whole batch is refused.
      const key = random.chance(keyed) ? `key ${random.chance(0.02) ? random.int(1, token) : token}` : null;
      return { token, type, payload, key, delaySeconds: random.chance(later) ? random.int(1, 3) : 0 };
    });
  }

  /**
   * @param {readonly Row[]} rows
   * @param {import('./ledger.mjs').Fate} fate
   */
  #note(rows, fate) {
    this.#home.ledger.note(rows.map(({ token, type }) => ({ token, type, fate })));
    if (fate === 'committed') this.#inserted += rows.length;
  }
}

/** @typedef {{ token: number, type: string, payload: string, key: string | null, delaySeconds: number }} Row */

/** @param {Row} row */
const valuesOf = ({ delaySeconds }) =>
  `(?, ?, ?, ${delaySeconds === 0 ? 'DEFAULT' : `NOW(3) + INTERVAL ${delaySeconds} SECOND`})`;

/** @param {string} url */
async function connect(url) {
  const connection = await createConnection({ uri: url, connectTimeout: 2_000 });
  // What ends a connection between two statements is told by the next one.
  connection.on('error', () => undefined);
  return connection;
}

/**
 * @param {number} ms
 * @param {AbortSignal} signal
 */
async function rest(ms, signal) {
  if (ms > 0 && !signal.aborted) await pause(ms, undefined, { signal }).catch(() => undefined);
}
