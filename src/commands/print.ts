import { oneLine } from '../errors';
import { harmlessJson, harmlessLines } from '../harmless';

/** What the command was called for, on stdout. */
export const print = (text: string): boolean => process.stdout.write(`${harmlessLines(text)}\n`);

/** The same for a program to read, as it is. */
export const printExactly = (text: string): boolean => process.stdout.write(`${text}\n`);

/** What a person should know beside it, on stderr: one line. */
export const warn = (text: string): boolean => process.stderr.write(`rowlock: ${oneLine(text)}\n`);

/** JSON text that goes into a larger one as it is, so that no number in it is rounded. */
export class ExactJson {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** A JSON column: null where the row holds none. */
export const exact = (column: string | null): ExactJson | null => (column === null ? null : new ExactJson(column));

/** An id: a number in JSON, also where a double cannot hold it. */
export const exactId = (id: number | string): ExactJson => new ExactJson(String(id));

/** JSON on one line. Dates are ISO 8601 in UTC. */
export const toJsonLine = (value: unknown): string => harmlessJson(toJson(value));

function toJson(value: unknown): string {
  if (value instanceof ExactJson) return value.text.replaceAll(/[\n\r\t]/g, ' '); // they stand between its parts, never in a text
  if (Array.isArray(value)) return `[${value.map(toJson).join(',')}]`;
  if (typeof value !== 'object' || value === null || value instanceof Date) return JSON.stringify(value ?? null);
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${toJson(member)}`).join(',')}}`;
}

/** Columns side by side, without borders; names above them where given. */
export function toTable(rows: readonly (readonly string[])[], head: readonly string[] = []): string {
  const Table = require('cli-table3') as typeof import('cli-table3');
  const table = new Table({
    head: [...head],
    chars: NO_BORDERS,
    style: { 'padding-left': 0, 'padding-right': 2, head: [], border: [] },
  });
  table.push(...rows.map((row) => [...row]));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

const NO_BORDERS = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '',
};
