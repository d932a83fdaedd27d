/** One of those whom a broadcast is for: what is known of it, or why nothing is. */
export interface Recipient {
  /** Of the file, counted from 1; of a query the row. */
  line: number;
  fields: Record<string, unknown>;
  /** About how many characters it has. */
  size: number;
  fault?: string | undefined;
}

/**
 * Without a prototype: a column may be called constructor. One without a name, as spreadsheets leave them at the end of
 * each line, is none.
 */
export const toFields = (columns: string[], values: unknown[]): Record<string, unknown> =>
  Object.assign(
    Object.create(null),
    Object.fromEntries(columns.map((column, index) => [column, values[index]]).filter(([column]) => column !== '')),
  );

const COLUMNS_NAMED = 20;
const LONGEST_WORD = 50;

/** What a file that is something else has in its first line may be anything. */
export const listColumns = (columns: string[]): string =>
  columns.slice(0, COLUMNS_NAMED).map(toWord).join(', ') + (columns.length > COLUMNS_NAMED ? ', …' : '');

export const toWord = (text: string): string => text.slice(0, LONGEST_WORD).replace(/\p{Cc}+/gu, ' ');
