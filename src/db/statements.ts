import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { escape as literal } from 'mysql2';
import type { ResultSetHeader, RowDataPacket } from 'mysql2/promise';
import { PACKAGE_FOLDER } from '../folders';
import { withoutStatement } from './faults';
import type { Queryable } from './pool';

/** Values for the `:names` of a statement. An array fills an `IN (:ids)`. */
export type Parameters = Record<string, Value | Value[] | Value[][]>;
type Value = string | number | boolean | Date | null;

/** The folder of the SQL that ships with the package. */
export const SQL_FOLDER = join(PACKAGE_FOLDER, 'sql');

/**
 * No statement of the queue takes this long: the longest wait inside the server is the lock wait of 3 s.
 * What is silent for longer is a network that swallows packets, and the connection is given up.
 */
const STATEMENT_TIMEOUT_MS = 30_000;

const texts = new Map<string, string>();
const names = new Map<string, string>();

/** The text of `sql/queries/<name>.sql` without its comments. */
export function text(name: string): string {
  let found = texts.get(name);
  if (found === undefined) {
    found = withoutComments(readFileSync(join(SQL_FOLDER, 'queries', `${name}.sql`), 'utf8'));
    texts.set(name, found);
    names.set(found, name);
  }
  return found;
}

/** The name of a statement by its text; undefined: it is none that this process has sent by a name. */
export const nameOf = (sql: string): string | undefined => names.get(sql);

/** Drops whole-line comments and the closing semicolon, so that the server does not parse prose. */
export function withoutComments(sql: string): string {
  return sql
    .split('\n')
    .filter((line) => !line.trimStart().startsWith('--'))
    .join('\n')
    .trim()
    .replace(/;$/, '');
}

/** @throws the driver's error, without the statement in it */
async function send<T extends RowDataPacket[] | ResultSetHeader>(
  on: Queryable,
  sql: string,
  values?: Parameters,
): Promise<T> {
  try {
    const options = values === undefined ? { namedPlaceholders: false } : { values };
    const [answer] = await on.query<T>({ sql, ...options, timeout: STATEMENT_TIMEOUT_MS });
    return answer;
  } catch (error) {
    throw withoutStatement(error);
  }
}

/** Runs a named statement that answers with rows. */
export async function select<T>(on: Queryable, name: string, values: Parameters = {}): Promise<T[]> {
  return (await send<RowDataPacket[]>(on, text(name), values)) as T[];
}

/** One step of what the server would do for a statement. */
export interface PlanStep {
  key: string | null;
  type: string | null;
  Extra: string | null;
}

/** How the server would run a named statement. It asks for the privileges of the statement, and executes nothing. */
export async function readPlan(on: Queryable, name: string, values: Parameters = {}): Promise<PlanStep[]> {
  const sql = `EXPLAIN FORMAT=TRADITIONAL ${text(name)}`;
  return (await send<RowDataPacket[]>(on, sql, values)) as PlanStep[];
}

/** The same on tables of other apps: `{name}` in the text stands for an identifier, given in its parts and quoted here. */
export async function selectFrom<T>(
  on: Queryable,
  name: string,
  identifiers: Record<string, string[]>,
  values: Parameters,
): Promise<T[]> {
  // The driver looks for placeholders in backticks, too, and takes a quote in them for the beginning of a text.
  const sql = text(name).replaceAll(/:(\w+)|\{(\w+)\}/g, (_, value?: string, identifier = '') =>
    value === undefined ? (identifiers[identifier] ?? []).map(quote).join('.') : literal(values[value]),
  );
  return (await send<RowDataPacket[]>(on, sql)) as T[];
}

const quote = (identifier: string): string => `\`${identifier.replaceAll('`', '``')}\``;

/** Runs a named statement that changes rows; answers with how many it found. */
export async function change(on: Queryable, name: string, values: Parameters = {}): Promise<number> {
  return (await insert(on, name, values)).affectedRows;
}

/** Runs a named statement and answers with the server's own account of it: insertId, affectedRows. */
export async function insert(on: Queryable, name: string, values: Parameters = {}): Promise<ResultSetHeader> {
  return send<ResultSetHeader>(on, text(name), values);
}
