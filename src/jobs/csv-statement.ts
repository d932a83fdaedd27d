import { escapeId } from 'mysql2';
import { text } from '../db/statements';
import type { OnDuplicate } from './csv-payload';
import type { Target } from './csv-target';

/** Triggers and foreign keys may make a batch slow; a network that swallows packets is given up after this. */
export const STATEMENT_TIMEOUT_MS = 300_000;

/** What puts rows into the table. */
export interface Statements {
  /** Undefined: they can only be inserted. */
  load: string | undefined;
  /** What stands before and behind them in an INSERT. */
  insert: [before: string, behind: string];
}

export function statementsFor({ table, columns, takesLoads }: Target, onDuplicate: OnDuplicate): Statements {
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
  return {
    // LOAD DATA knows REPLACE and IGNORE, and neither is what onDuplicate says.
    load: takesLoads && onDuplicate === 'error' ? fill(text('load_csv_rows')) : undefined,
    insert: [fill(before), fill(behind)],
  };
}
