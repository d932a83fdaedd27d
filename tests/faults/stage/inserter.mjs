import { createConnection } from 'mysql2/promise';

/** Rows of one INSERT. */
const BATCH = 500;

/**
 * A row of a scene's own choosing.
 * @typedef {{ type: string, payload?: Record<string, unknown> }} NewRow
 */

/** Inserts what a scene chooses itself, as the producer may, beside the producers that insert all the while. */
export class Inserter {
  #stage;
  /** @type {import('mysql2/promise').Connection} */
  #connection;

  /**
   * @param {import('./stage.mjs').Stage} stage
   * @param {import('mysql2/promise').Connection} connection
   */
  constructor(stage, connection) {
    this.#stage = stage;
    this.#connection = connection;
  }

  /** @param {import('./stage.mjs').Stage} stage */
  static async open(stage) {
    const connection = await createConnection({ uri: stage.database.url('producer') });
    stage.atEnd(() => connection.destroy());
    return new Inserter(stage, connection);
  }

  /**
   * Commits the rows, and writes them down in the ledger.
   *
   * @param {readonly NewRow[]} rows
   */
  async insert(rows) {
    const { ledger, canary } = this.#stage;
    for (let from = 0; from < rows.length; from += BATCH) {
      const batch = rows.slice(from, from + BATCH).map(({ type, payload }) => {
        const token = ledger.newToken();
        return { type, token, payload: JSON.stringify({ token, canary: `${canary}-${token}`, ...payload }) };
      });
      await this.#connection.query('INSERT INTO background_jobs (job_type, payload) VALUES ?', [
        batch.map(({ type, payload }) => [type, payload]),
      ]);
      ledger.note(batch.map(({ type, token }) => ({ type, token, fate: 'committed' })));
    }
  }
}
