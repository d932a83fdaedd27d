import type { FoundColumn } from './adopt-columns';
import { ask } from './adopt-statements';
import type { Queryable } from './pool';

/** What background_jobs is like, all of it read from information_schema. */
export interface Shape {
  table: { type: string; engine: string | null; rowFormat: string | null; options: string | null };
  columns: FoundColumn[];
  keys: FoundKey[];
  foreignKeys: ForeignKey[];
  triggers: string[];
  family: 'MySQL' | 'MariaDB';
}

export interface FoundKey {
  name: string;
  unique: boolean;
  /** With the length of a prefix, if it has one: `payload(20)`. */
  columns: string[];
}

export interface ForeignKey {
  name: string;
  /** `child.job_id` */
  source: string;
  target: string;
  /** The column of background_jobs in it. */
  columnName: string;
}

/** How many rows there are with a word in their status; the word is null where there is none. */
export interface RowCount {
  status: string | null;
  count: number;
}

export const hasColumn = ({ columns }: Shape, name: string): boolean =>
  columns.some((column) => column.name.toLowerCase() === name);

export async function readShape(on: Queryable): Promise<Shape> {
  const [table] = await ask<Shape['table']>(on, 'find_table');
  const [server] = await ask<{ version: string }>(on, '../queries/find_server_version');
  if (table === undefined) throw new TypeError('background_jobs has gone while it was looked at');
  const family = /mariadb/i.test(server?.version ?? '') ? 'MariaDB' : 'MySQL';
  return {
    table,
    columns: await readColumns(on, family),
    keys: await readKeys(on),
    foreignKeys: await ask<ForeignKey>(on, 'list_foreign_keys'),
    triggers: (await ask<{ name: string }>(on, 'list_triggers')).map(({ name }) => name),
    family,
  };
}

async function readColumns(on: Queryable, family: Shape['family']): Promise<FoundColumn[]> {
  const columns = await ask<Omit<FoundColumn, 'checkedJson'>>(on, 'list_columns');
  const checks = family === 'MariaDB' ? await ask<{ name: string }>(on, 'list_json_checks') : [];
  return columns.map((column) => ({ ...column, checkedJson: checks.some(({ name }) => name === column.name) }));
}

/** Each key of background_jobs that this user may see. */
export async function readKeys(on: Queryable): Promise<FoundKey[]> {
  const parts = await ask<{ name: string; uniq: number; columnName: string | null; prefix: number | null }>(
    on,
    'list_keys',
  );
  const keys = new Map<string, FoundKey>();
  for (const { name, uniq, columnName, prefix } of parts) {
    const key = keys.get(name) ?? { name, unique: uniq === 1, columns: [] };
    key.columns.push(`${columnName ?? 'an expression'}${prefix === null ? '' : `(${prefix})`}`);
    keys.set(name, key);
  }
  return [...keys.values()];
}
