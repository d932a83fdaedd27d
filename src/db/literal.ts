import type { Parameters } from './statements';

type Value = Parameters[string];

/** Printable ASCII without a quote, a backslash and a question mark: the same in every sql_mode, charset and driver. */
const PLAIN = /^[ !"#-&(->@-[\]-~]*$/;

/** Text in quotes, and `:names`. */
const PLACEHOLDER = /'[^']*'|:([a-zA-Z]\w*)/g;

/**
 * A statement with its values written into it, for a session that is not Rowlock's own. The driver would
 * quote with backslashes, which a session with NO_BACKSLASH_ESCAPES reads as they are; it would write times in
 * the zone of its `timezone` option, which need not be the session's; and it would take `:names` only where
 * `namedPlaceholders` is set.
 */
export const withLiterals = (sql: string, values: Parameters): string =>
  sql.replaceAll(PLACEHOLDER, (found, name: string | undefined) =>
    name === undefined ? found : literal(find(values, name)),
  );

function find(values: Parameters, name: string): Value {
  const value = values[name];
  if (value === undefined) throw new TypeError(`the statement has a placeholder :${name} and no value for it`);
  return value;
}

function literal(value: Value): string {
  if (value === null) return 'NULL';
  if (Array.isArray(value))
    return value.map((member) => (Array.isArray(member) ? row(member) : literal(member))).join();
  if (value instanceof Date) return `FROM_UNIXTIME(${(value.getTime() / 1000).toFixed(3)})`;
  return typeof value === 'string' ? quote(value) : String(value);
}

const row = (members: Value[]): string => `(${members.map(literal).join()})`;

/** In hexadecimal where a quote or a character set could change it on its way. */
function quote(text: string): string {
  return PLAIN.test(text) ? `'${text}'` : `_utf8mb4 X'${Buffer.from(text).toString('hex')}'`;
}

/** Bytes of a text in such a statement. */
export const sizeAsLiteral = (text: string): number => (PLAIN.test(text) ? text.length : 2 * Buffer.byteLength(text));
