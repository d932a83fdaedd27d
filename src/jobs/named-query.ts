import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { escape as quoteLiteral } from 'mysql2';
import { codeOf, UnrecoverableError } from '../errors';

type Scalar = string | number | bigint | boolean | null;
/** A list is for `IN (:name)` alone. */
export type ParameterValue = Scalar | Scalar[];

/** A query of its own file, `<name>.sql`. */
export interface NamedQuery {
  /** What it is called in an error: report. */
  kind: string;
  /** It has been checked to be a name: letters, digits, `_` and `-`. */
  name: string;
  /** A value for each `:name` in it. */
  params: Record<string, ParameterValue>;
  /** Where its file is looked for, in this order. */
  folders: [string, ...string[]];
}

/**
 * The SQL of a named query with its parameters put in.
 *
 * @throws UnrecoverableError if there is no such query, or a parameter is missing or unknown
 */
export async function buildQuery({ kind, name, params, folders }: NamedQuery): Promise<string> {
  for (const folder of folders) {
    try {
      return bind(await readFile(join(folder, `${name}.sql`), 'utf8'), params, `${kind} ${name}`);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
    }
  }
  throw new UnrecoverableError(`there is no ${kind} ${name}; add ${name}.sql to ${folders[0]}`);
}

/** Whatever may hold a colon that begins no parameter is matched before one is looked for. */
const TOKEN =
  /'(?:[^'\\]|\\[\s\S]|'')*'|"(?:[^"\\]|\\[\s\S]|"")*"|`[^`]*`|\/\*[\s\S]*?\*\/|(?<comment>--(?=\s|$)[^\n]*|#[^\n]*)|:(?<name>[A-Za-z_]\w*)/g;

/**
 * Puts the values in, quoted by the driver. Not as a prepared statement: MySQL takes no number for
 * `LIMIT ?` that came as a double, and sends no row as the text that it has.
 */
export function bind(sql: string, params: Record<string, ParameterValue>, query: string): string {
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
    throw new UnrecoverableError(`${query}: ${faults.join('; ')}; it takes ${[...named].join(', ') || 'none'}`);
  return bound.trim().replace(/;$/, '');
}

function quote(value: Scalar): string {
  if (typeof value === 'bigint') return String(value);
  return quoteLiteral(typeof value === 'string' ? value.toWellFormed() : value);
}
