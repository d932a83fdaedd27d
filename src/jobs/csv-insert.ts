import { isDenied, withoutStatement } from '../db/faults';
import { messageOf } from '../errors';
import type { Tx } from '../worker/define';
import type { Line } from './csv-lines';
import { type Row, toValues } from './csv-row';
import { STATEMENT_TIMEOUT_MS, type Statements } from './csv-statement';
import type { Target } from './csv-target';

/** What is left of a packet for the names in the statement: 64 characters each, at most three times. */
const NAMES_BYTES = 64 * 1024;

/** Sends lines: all of them are taken, or none, as the transaction is undone. */
export async function insertLines(
  tx: Tx,
  [before, behind]: Statements['insert'],
  target: Target,
  lines: readonly Line<Row>[],
): Promise<void> {
  for (const part of splitByBytes(target, lines)) {
    try {
      const sql = `${before}(${part.map(toValues).join('),(')})${behind}`;
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

/** Parts that fit into a packet each. */
function splitByBytes(target: Target, lines: readonly Line<Row>[]): Row[][] {
  const parts: Row[][] = [];
  let room = 0;
  for (const line of lines) {
    if (line.row === undefined) continue;
    const bytes = mostBytes(target, line);
    if (bytes > room) {
      parts.push([]);
      room = target.packetBytes - NAMES_BYTES;
    }
    parts.at(-1)?.push(line.row);
    room -= bytes;
  }
  return parts;
}

/** Of a line in a statement: each byte may need a backslash, and each value has quotes and a comma, or is a word. */
const mostBytes = ({ sources }: Target, { start, end }: Line<Row>): number =>
  2 * (end - start) + 8 * sources.length + 3;

/** Bytes of a line that fits into a statement, whatever is in it. */
export const longestLine = ({ sources, packetBytes }: Target): number =>
  Math.floor((packetBytes - NAMES_BYTES - 8 * sources.length - 3) / 2);
