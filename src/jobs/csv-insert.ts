import { isDenied, withoutStatement } from '../db/faults';
import { messageOf } from '../errors';
import type { Tx } from '../worker/define';
import { STATEMENT_TIMEOUT_MS, type Statements } from './csv-statement';
import type { Target } from './csv-target';
import { toValues } from './csv-values';

/** What is left of a packet for the names in the statement: 64 characters each, at most three times. */
const NAMES_BYTES = 64 * 1024;

/** Between two rows: `),(`. */
const SEPARATOR_BYTES = 3;

/** Inserts rows: all of them are taken, or none, as the transaction is undone. */
export async function insertRows(
  tx: Tx,
  [before, behind]: Statements['insert'],
  target: Target,
  rows: readonly string[],
): Promise<void> {
  for (const part of splitByBytes(rows.map(toValues), target.packetBytes - NAMES_BYTES)) {
    try {
      const sql = `${before}(${part.join('),(')})${behind}`;
      // The driver would look through all of it for placeholders.
      await tx.query({ sql, values: null, namedPlaceholders: false, timeout: STATEMENT_TIMEOUT_MS });
    } catch (error) {
      if (!isDenied(error)) throw withoutStatement(error);
      throw new Error(
        `${messageOf(error)}; GRANT INSERT on it, and for onDuplicate SELECT and UPDATE too, to the user of DATABASE_URL`,
      );
    }
  }
}

/** Parts of so many bytes at most, or of one text that is longer. */
function splitByBytes(texts: string[], most: number): string[][] {
  const parts: string[][] = [];
  let room = 0;
  for (const text of texts) {
    const bytes = Buffer.byteLength(text) + SEPARATOR_BYTES;
    if (bytes > room) {
      parts.push([]);
      room = most;
    }
    parts.at(-1)?.push(text);
    room -= bytes;
  }
  return parts;
}

/**
 * Bytes of a line that fits into a statement, whatever is in it: each may need a backslash, and each value has quotes and a
 * comma, or is a word.
 */
export const longestLine = ({ sources, packetBytes }: Target): number =>
  Math.floor((packetBytes - NAMES_BYTES - 8 * sources.length - SEPARATOR_BYTES) / 2);
