import { escape as quote } from 'mysql2';
import { DEFAULT, NULL } from './csv-row';

const EACH_ESCAPED = /\\(.)/g;
const MEANT: Record<string, string> = { t: '\t', n: '\n', 0: '\0' };

/** A row as it stands in an INSERT. */
export const toValues = (row: string): string => row.split('\t').map(toValue).join();

function toValue(field: string): string {
  if (field === NULL) return 'NULL';
  if (field === DEFAULT) return 'DEFAULT';
  return quote(field.includes('\\') ? field.replace(EACH_ESCAPED, (_, char: string) => MEANT[char] ?? char) : field);
}
