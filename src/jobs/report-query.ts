import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { escape as quoteLiteral } from 'mysql2';
import { SQL_FOLDER } from '../db/statements';
import { codeOf, UnrecoverableError } from '../errors';

type Scalar = string | number | bigint | boolean | null;
/** A list is for `IN (:name)` alone. */
export type ParameterValue = Scalar | Scalar[];

/**
 * The SQL of a report with its parameters put in.
 *
 * @param ownFolder the user's reports, which stand before those that ship with Rowlock
 * @throws UnrecoverableError if there is no such report, or a parameter is missing or unknown
 */
export async function buildQuery(
  report: string,
  params: Record<string, ParameterValue>,
  ownFolder: string | undefined,
): Promise<string> {
  const sql = await readReport(report, ownFolder);
  return bind(sql, params, report);
}

/** @param report a name that has been checked to be one: letters, digits, `_` and `-` */
async function readReport(report: string, ownFolder: string | undefined): Promise<string> {
  const folders = [...(ownFolder === undefined ? [] : [ownFolder]), join(SQL_FOLDER, 'reports')];
  for (const folder of folders) {
    try {
      return await readFile(join(folder, `${report}.sql`), 'utf8');
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
    }
  }
  throw new UnrecoverableError(`there is no report ${report}; add ${report}.sql to ${folders[0]}`);
}

/** Whatever may hold a colon that begins no parameter is matched before one is looked for. */
const TOKEN =
  /'(?:[^'\\]|\\[\s\S]|'')*'|"(?:[^"\\]|\\[\s\S]|"")*"|`[^`]*`|\/\*[\s\S]*?\*\/|(?<comment>--(?=\s|$)[^\n]*|#[^\n]*)|:(?<name>[A-Za-z_]\w*)/g;

/**
 * Puts the values in, quoted by the driver. Not as a prepared statement: MySQL takes no number for
 * `LIMIT ?` that came as a double, and sends no row as the text that it has.
 */
export function bind(sql: string, params: Record<string, ParameterValue>, report: string): string {
  const named = new Set<string>();
  const faults: string[] = [];
  const bound = sql.replace(TOKEN, (token, ...rest) => {
    const { comment, name } = rest.at(-1) as { comment?: string; name?: string };
    if (comment !== undefined) return '';
    if (name === undefined) return token;
    named.add(name);
    // Own properties only: the payload's {} has a constructor too.
    const value = Object.hasOwn(params, name) ? params[name] : undefined;
    if (value === undefined) return token;
    const before = sql.slice(0, rest.at(-3) as number);
    if (Array.isArray(value) && !/\bIN\s*\(\s*$/i.test(before))
      faults.push(`parameter "${name}" takes one value, no list`);
    return Array.isArray(value) ? value.map(quote).join(', ') : quote(value);
  });
  for (const name of named) if (!Object.hasOwn(params, name)) faults.push(`parameter "${name}" is missing`);
  for (const name of Object.keys(params))
    if (!named.has(name)) faults.push(`parameter "${name.slice(0, 100)}" is unknown`);
  if (faults.length > 0)
    throw new UnrecoverableError(`report ${report}: ${faults.join('; ')}; it takes ${[...named].join(', ') || 'none'}`);
  return bound.trim().replace(/;$/, '');
}

function quote(value: Scalar): string {
  if (typeof value === 'bigint') return String(value);
  return quoteLiteral(typeof value === 'string' ? value.toWellFormed() : value);
}
