import { type Duplex, Transform } from 'node:stream';
import { type FieldPacket, Types } from 'mysql2';

/** A row as it comes from the server. */
type RawRow = (Buffer | null)[];

/** How a column's values are written. */
interface Column {
  name: string;
  kind: 'number' | 'text' | 'binary' | 'bits';
}

export interface FormatOptions {
  format: 'csv' | 'ndjson';
  escapeFormulas: boolean;
}

/** The streams that turn raw rows into text, in order, and the count of the rows that have gone through. */
export function formatRows(
  fields: FieldPacket[],
  { format, escapeFormulas }: FormatOptions,
): { steps: Duplex[]; count: () => number } {
  const columns = fields.map(readColumn);
  let rows = 0;
  const toText = format === 'csv' ? csvCells(columns, escapeFormulas) : ndjsonLine(columns);
  const first = new Transform({
    writableObjectMode: true,
    readableObjectMode: format === 'csv',
    transform(row: RawRow, _encoding, done) {
      rows += 1;
      done(null, toText(row));
    },
  });
  return { steps: format === 'csv' ? [first, csvLines(columns)] : [first], count: () => rows };
}

const NUMBERS = new Set<number>([
  Types.DECIMAL,
  Types.NEWDECIMAL,
  Types.TINY,
  Types.SHORT,
  Types.INT24,
  Types.LONG,
  Types.LONGLONG,
  Types.FLOAT,
  Types.DOUBLE,
  Types.YEAR,
]);
const STRINGS = new Set<number>([
  Types.STRING,
  Types.VAR_STRING,
  Types.VARCHAR,
  Types.TINY_BLOB,
  Types.BLOB,
  Types.MEDIUM_BLOB,
  Types.LONG_BLOB,
]);
/** The number of the character set `binary`. */
const BINARY = 63;

function readColumn(field: FieldPacket): Column {
  const { name, columnType: type = Types.STRING, characterSet } = field as FieldPacket & { characterSet?: number };
  if (NUMBERS.has(type)) return { name, kind: 'number' };
  if (type === Types.BIT) return { name, kind: 'bits' };
  const binary = type === Types.GEOMETRY || type === Types.VECTOR || (STRINGS.has(type) && characterSet === BINARY);
  return { name, kind: binary ? 'binary' : 'text' };
}

/** Numbers and times stay as the server wrote them, so that no digit is lost; bytes become base64. */
function decode(kind: Column['kind'], value: Buffer): string {
  if (kind === 'binary') return value.toString('base64');
  if (kind === 'bits') return BigInt(`0x${value.toString('hex') || '0'}`).toString();
  return value.toString('utf8');
}

/** NULL is an empty cell; an empty text is `""`. */
function csvLines(columns: Column[]): Duplex {
  const { stringify } = require('csv-stringify') as typeof import('csv-stringify');
  return stringify({
    header: true,
    columns: columns.map(({ name }) => ({ key: name, header: name })),
    quoted_match: /^$/,
  });
}

function csvCells(columns: Column[], escapeFormulas: boolean): (row: RawRow) => (string | null)[] {
  return (row) =>
    columns.map(({ kind }, index) => {
      const value = row[index];
      if (value === null || value === undefined) return null;
      const text = decode(kind, value);
      return escapeFormulas && kind === 'text' && isFormula(text) ? `'${text}` : text;
    });
}

/**
 * A spreadsheet runs a cell that begins so, also one in quotes. A sign before nothing but digits and what
 * stands between them, as in a telephone number, can do no harm and stays.
 */
const isFormula = (text: string): boolean =>
  /^[=@\t\r\n]/.test(text) || (/^[+-]/.test(text) && !/^[+-][\d\s.,:()/-]*$/.test(text));

/** What JSON takes for a number: a column with ZEROFILL has others. */
const JSON_NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;

/** Numbers are bare, with all of their digits; everything else is a string. */
function ndjsonLine(columns: Column[]): (row: RawRow) => string {
  const names = columns.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new Error(`the report has two columns named ${twice}; give one an alias`);
  const parts = columns.map(({ name, kind }, index) => ({
    key: `${index === 0 ? '' : ','}${JSON.stringify(name)}:`,
    kind,
  }));
  return (row) => {
    const members = parts.map(({ key, kind }, index) => {
      const value = row[index];
      if (value === null || value === undefined) return `${key}null`;
      const text = decode(kind, value);
      const isNumber = (kind === 'number' || kind === 'bits') && JSON_NUMBER.test(text);
      return key + (isNumber ? text : JSON.stringify(text));
    });
    return `{${members.join('')}}\n`;
  };
}
