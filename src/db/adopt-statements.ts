import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RowDataPacket } from 'mysql2/promise';
import type { Queryable } from './pool';
import { SQL_FOLDER, withoutComments } from './statements';

/** The text of `sql/adopt/<name>.sql`. A column, always one of Rowlock's own names, stands for `{column}`. */
export function adoptText(name: string, column = ''): string {
  return withoutComments(readFileSync(join(SQL_FOLDER, 'adopt', `${name}.sql`), 'utf8')).replaceAll(
    '{column}',
    `\`${column}\``,
  );
}

/** Runs a statement of sql/adopt. With no limit of time: another app's table may be of any size. */
export async function ask<T>(
  on: Queryable,
  name: string,
  values: Record<string, number> = {},
  column?: string,
): Promise<T[]> {
  const [rows] = await on.query<RowDataPacket[]>({ sql: adoptText(name, column), values });
  return rows as T[];
}
