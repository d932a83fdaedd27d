import { escape as quote } from 'mysql2';
import { EMPTY_TEXT, type Field } from './csv-records';
import type { Target } from './csv-target';

/**
 * A line as LOAD DATA reads it: the fields of the table's columns with tabs in between, as one text and not as a rope of
 * all its parts.
 */
export type Row = string;

const NULL = '\\N';

/** Stands for the column's default. LOAD DATA has no word for that: rows that have it can only be inserted. */
const DEFAULT = '\\D';

const WORDS = { null: NULL, default: DEFAULT, text: '' };

const SPECIAL = /[\\\t\n\0]/;
const EACH_SPECIAL = /[\\\t\n\0]/g;
const ESCAPES: Record<string, string> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\0': '\\0' };
const EACH_ESCAPED = /\\(.)/g;
const MEANT: Record<string, string> = { t: '\t', n: '\n', 0: '\0' };

/** @param isPlain true if nothing in the fields needs a backslash: to look at each is a tenth of an import */
export function toRow({ sources }: Target, fields: Field[], isPlain: boolean): Row {
  const values: string[] = [];
  for (const { field, empty } of sources) {
    const value = fields[field];
    if (value === EMPTY_TEXT) values.push('');
    else values.push(value === '' || value === undefined ? WORDS[empty] : isPlain ? value : escapeSpecial(value));
  }
  return values.join('\t');
}

/** False where a field is the word for a default, or reads like it. */
export const areLoadable = ({ sources }: Target, rows: readonly Row[]): boolean =>
  sources.every(({ empty }) => empty !== 'default') || !rows.some((row) => row.includes(DEFAULT));

/** The same as it stands in an INSERT. */
export const toValues = (row: Row): string => row.split('\t').map(toValue).join();

function toValue(field: string): string {
  if (field === NULL) return 'NULL';
  if (field === DEFAULT) return 'DEFAULT';
  return quote(field.includes('\\') ? field.replace(EACH_ESCAPED, (_, char: string) => MEANT[char] ?? char) : field);
}

const escapeSpecial = (text: string): string =>
  SPECIAL.test(text) ? text.replace(EACH_SPECIAL, (char) => ESCAPES[char] ?? char) : text;
