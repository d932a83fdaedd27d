import { escapeId, escape as quote } from 'mysql2';
import { isDenied, withoutStatement } from '../db/faults';
import { text } from '../db/statements';
import { messageOf } from '../errors';
import type { Tx } from '../worker/define';
import type { Line } from './csv-lines';
import type { OnDuplicate } from './csv-payload';
import { EMPTY_TEXT, type Field } from './csv-records';
import type { Target } from './csv-target';

/** Triggers and foreign keys may make a batch slow; a network that swallows packets is given up after this. */
const STATEMENT_TIMEOUT_MS = 300_000;

/** What is left of a packet for the names in the statement: 64 characters each, at most three times. */
const NAMES_BYTES = 64 * 1024;

/** A line as it stands in the statement: its values with commas in between, as one text and not as a rope of all its parts. */
export type Row = string;

export function toRow({ sources }: Target, fields: Field[]): Row {
  const values: string[] = [];
  for (const { field, empty } of sources) {
    const value = fields[field];
    if (value === EMPTY_TEXT) values.push("''");
    else values.push(value === '' || value === undefined ? quote(empty) : quote(value));
  }
  return values.join();
}

/** What stands before and behind the rows, in the statement that puts them into the table. */
export type InsertWords = [before: string, behind: string];

export function insertWords({ table, columns }: Target, onDuplicate: OnDuplicate): InsertWords {
  const names = columns.map((name) => escapeId(name, true));
  const [first = ''] = names;
  const changes = onDuplicate === 'ignore' ? [`${first} = ${first}`] : names.map((name) => `${name} = VALUES(${name})`);
  const parts: Record<string, string> = {
    table: escapeId(table, true),
    columns: names.join(', '),
    changes: changes.join(', '),
  };
  const fill = (words = '') => words.replaceAll(/\{(\w+)\}/g, (_, part: string) => parts[part] ?? '');
  const [before, behind] = text(onDuplicate === 'error' ? 'insert_csv_rows' : 'upsert_csv_rows').split(':rows');
  return [fill(before), fill(behind)];
}

/** Sends lines: all of them are taken, or none, as the transaction is undone. */
export async function insertLines(
  tx: Tx,
  [before, behind]: InsertWords,
  target: Target,
  lines: readonly Line<Row>[],
): Promise<void> {
  for (const part of splitByBytes(target, lines)) {
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
