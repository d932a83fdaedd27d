import { escapeId } from 'mysql2';
import { withoutStatement } from '../db/faults';
import { text } from '../db/statements';
import type { Tx } from '../worker/define';
import type { Line } from './csv-lines';
import type { OnDuplicate } from './csv-payload';
import type { Target } from './csv-target';

/** Triggers and foreign keys may make a batch slow; a network that swallows packets is given up after this. */
const STATEMENT_TIMEOUT_MS = 300_000;

/** What is left of a packet for the names in the statement: 64 characters each, at most three times. */
const NAMES_BYTES = 64 * 1024;

/** The statement that puts lines into the table, but for its values. */
export function insertStatement({ table, columns }: Target, onDuplicate: OnDuplicate): string {
  const names = columns.map((name) => escapeId(name, true));
  const [first = ''] = names;
  const changes = onDuplicate === 'ignore' ? [`${first} = ${first}`] : names.map((name) => `${name} = VALUES(${name})`);
  const parts: Record<string, string> = {
    table: escapeId(table, true),
    columns: names.join(', '),
    changes: changes.join(', '),
  };
  const template = text(onDuplicate === 'error' ? 'insert_csv_rows' : 'upsert_csv_rows');
  return template.replaceAll(/\{(\w+)\}/g, (_, part: string) => parts[part] ?? '').replace(':rows', '?');
}

/** Sends lines: all of them are taken, or none, as the transaction is undone. */
export async function insertLines(tx: Tx, statement: string, target: Target, lines: readonly Line[]): Promise<void> {
  for (const part of splitByBytes(target, lines)) {
    try {
      await tx.query({ sql: statement, values: [toRows(target, part)], timeout: STATEMENT_TIMEOUT_MS });
    } catch (error) {
      throw withoutStatement(error);
    }
  }
}

/** Parts that fit into a packet each. */
function splitByBytes(target: Target, lines: readonly Line[]): Line[][] {
  const parts: Line[][] = [];
  let room = 0;
  for (const line of lines) {
    const bytes = mostBytes(target, line);
    if (bytes > room) {
      parts.push([]);
      room = target.packetBytes - NAMES_BYTES;
    }
    parts.at(-1)?.push(line);
    room -= bytes;
  }
  return parts;
}

/** Of a line in a statement: each byte may need a backslash, and each value has quotes and a comma, or is a word. */
const mostBytes = ({ sources }: Target, { start, end }: Line): number => 2 * (end - start) + 8 * sources.length + 3;

/** Bytes of a line that fits into a statement, whatever is in it. */
export const longestLine = ({ sources, packetBytes }: Target): number =>
  Math.floor((packetBytes - NAMES_BYTES - 8 * sources.length - 3) / 2);

const toRows = ({ sources }: Target, lines: readonly Line[]) =>
  lines.map(({ fields = [] }) => sources.map(({ field, empty }) => fields[field] ?? empty));
