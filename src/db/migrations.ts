import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SQL_FOLDER, withoutComments } from './statements';

const FOLDER = join(SQL_FOLDER, 'migrations');

/** The migration that creates background_jobs; on another app's table its place is taken by an ALTER. */
export const JOBS_VERSION = 2;

/** A file of sql/migrations. */
export interface Migration {
  version: number;
  /** `0001_create_side_tables` */
  name: string;
}

/** The migrations that this package knows, in order. */
export function listMigrations(): Migration[] {
  return readdirSync(FOLDER)
    .filter((file) => /^\d{4}_\w+\.sql$/.test(file))
    .sort()
    .map((file) => ({ version: Number.parseInt(file, 10), name: file.replace(/\.sql$/, '') }));
}

/** The statements of a migration. In these files a semicolon at the end of a line ends a statement. */
export function readStatements({ name }: Migration): string[] {
  return withoutComments(readFileSync(join(FOLDER, `${name}.sql`), 'utf8'))
    .split(/;\s*\n/)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '');
}

/** The tables that a migration creates. */
export function listCreatedTables(migration: Migration): string[] {
  return readStatements(migration).flatMap((statement) => {
    const name = /^CREATE TABLE (?:IF NOT EXISTS )?(\w+)/.exec(statement)?.[1];
    return name === undefined ? [] : [name];
  });
}
