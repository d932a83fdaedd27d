import { EMPTY_TEXT, type Field } from './csv-records';

/** What a column gets: a field, and something else where that is empty. */
export interface Source {
  field: number;
  empty: Empty;
}

/** Of a column that may be NULL that; else its default; else the empty text, which the server refuses where it does not fit. */
export type Empty = 'null' | 'default' | 'text';

export const NULL = '\\N';

/** Stands for the column's default. LOAD DATA has no word for that: rows that have it can only be inserted. */
export const DEFAULT = '\\D';

const WORDS = { null: NULL, default: DEFAULT, text: '' };

const SPECIAL = /[\\\t\n\0]/;
const EACH_SPECIAL = /[\\\t\n\0]/g;
const ESCAPES: Record<string, string> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\0': '\\0' };

/**
 * Makes rows as LOAD DATA reads them: the fields of the table's columns with tabs in between, as one text and not as a
 * rope of all its parts.
 *
 * @returns a function; `isPlain` says that nothing in the fields needs a backslash: to look at each is a tenth of an import
 */
export function rowMaker(sources: readonly Source[]): (fields: Field[], isPlain: boolean) => string {
  const values: string[] = sources.map(() => '');
  return (fields, isPlain) => {
    for (let index = 0; index < sources.length; index++) {
      const { field, empty } = sources[index] as Source;
      const value = fields[field];
      if (value === EMPTY_TEXT) values[index] = '';
      else values[index] = value === '' || value === undefined ? WORDS[empty] : isPlain ? value : escapeSpecial(value);
    }
    return values.join('\t');
  };
}

const escapeSpecial = (text: string): string =>
  SPECIAL.test(text) ? text.replace(EACH_SPECIAL, (char) => ESCAPES[char] ?? char) : text;
