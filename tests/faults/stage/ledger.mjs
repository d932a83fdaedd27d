import { appendFileSync, existsSync, readFileSync } from 'node:fs';

/**
 * What became of a row that somebody inserted. `unknown`: COMMIT got no answer. `withdrawn`: deleted before any run had
 * claimed it, so that nothing of it is in any other account.
 * @typedef {'committed' | 'rolled back' | 'unknown' | 'withdrawn' | 'deleted'} Fate
 */

/**
 * @typedef {object} LedgerEntry
 * @property {number} token stands in the row's payload, and in no other's
 * @property {string} type
 * @property {Fate} fate the newest one counts
 * @property {number} [completedBy] the run that had completed it before it was deleted
 */

/** What the scene has done to the table, kept outside of the database: what is there is compared with it. */
export class Ledger {
  #file;
  #next = 1;

  /** @param {string} file */
  constructor(file) {
    this.#file = file;
  }

  /** One that no row has yet. */
  newToken() {
    return this.#next++;
  }

  /** @param {readonly LedgerEntry[]} entries */
  note(entries) {
    appendFileSync(this.#file, entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
  }

  /** @returns {Map<number, LedgerEntry>} by token */
  read() {
    const text = existsSync(this.#file) ? readFileSync(this.#file, 'utf8') : '';
    /** @type {LedgerEntry[]} */
    const entries = text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
    return new Map(entries.map((entry) => [entry.token, entry]));
  }
}
