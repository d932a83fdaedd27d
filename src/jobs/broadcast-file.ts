import { pipeline, Readable } from 'node:stream';
import { codeOf, UnrecoverableError } from '../errors';
import { parseJson } from '../worker/payload';
import { type Recipient, toFields } from './broadcast-recipient';
import { findOtherFormat } from './other-formats';

interface RecipientFile {
  columns: string[];
  list: AsyncIterable<Recipient>;
}

/** A recipient's line: more than that is another kind of file. */
const LONGEST_LINE = 1_000_000;

/**
 * Reads CSV whose first line names the columns, or JSON lines, as the file's name says.
 *
 * @throws UnrecoverableError if it is neither, or not in UTF-8
 */
export async function readRecipientFile(bytes: Readable, name: string, delimiter: string): Promise<RecipientFile> {
  const chunks = decode(bytes, name);
  const lines = /\.csv$/i.test(name) ? readCsv(chunks, name, delimiter) : readJsonLines(chunks, name);
  const { value: columns } = await lines.next();
  if (!Array.isArray(columns)) throw new UnrecoverableError(`${name} is empty; its first line names the columns`);
  return { columns, list: lines as AsyncGenerator<Recipient> };
}

/** First the names of the columns, then the recipients. */
type Lines = AsyncGenerator<string[] | Recipient, void>;

async function* decode(bytes: AsyncIterable<Buffer>, name: string): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true }); // drops a byte order mark
  const toText = (chunk?: Buffer): string => {
    try {
      return decoder.decode(chunk, { stream: chunk !== undefined });
    } catch {
      throw new UnrecoverableError(
        `${name} is not in UTF-8, or no text at all; convert it, as with iconv -f WINDOWS-1252 -t UTF-8`,
      );
    }
  };
  let isFirst = true;
  for await (const chunk of bytes) {
    const other = isFirst ? findOtherFormat(chunk) : undefined;
    if (other !== undefined) throw new UnrecoverableError(`${name} is ${other}`);
    isFirst = false;
    const text = toText(chunk);
    if (text.includes('\0')) throw new UnrecoverableError(`${name} is no text: it has a zero byte in it`);
    yield text;
  }
  yield toText();
}

async function* readCsv(chunks: AsyncIterable<string>, name: string, delimiter: string): Lines {
  const { parse } = require('csv-parse') as typeof import('csv-parse');
  const options = { delimiter, info: true, relax_column_count: true, skip_empty_lines: true };
  const parser = parse({ ...options, max_record_size: LONGEST_LINE });
  // The loop below is told of an error, too.
  pipeline(Readable.from(chunks), parser, () => undefined);
  let columns: string[] | undefined;
  try {
    for await (const { record, info } of parser as AsyncIterable<CsvLine>) {
      if (columns === undefined) {
        columns = record.map((column) => column.trim());
        yield columns.filter((column) => column !== '');
      } else {
        const fault =
          record.length === columns.length
            ? undefined
            : `has ${record.length} columns, and the first line ${columns.length}`;
        const size = record.reduce((sum, cell) => sum + cell.length, 0);
        yield { line: info.lines, fields: toFields(columns, record.map(toValue)), size, fault };
      }
    }
  } catch (error) {
    throw explain(error, name);
  }
}

/** Liquid takes the empty text for true: `{% if nick %}` is to be false where nothing stands. */
const toValue = (cell: string): string | null => (cell === '' ? null : cell);

interface CsvLine {
  record: string[];
  info: { lines: number };
}

/** The parser's own words quote what it has read. */
const FAULTS: Record<string, string> = {
  CSV_MAX_RECORD_SIZE: `has a line of more than ${LONGEST_LINE} characters, or a quote that is never closed`,
  CSV_QUOTE_NOT_CLOSED: 'has a quote that is never closed',
  CSV_INVALID_CLOSING_QUOTE: 'has something between a closing quote and the next delimiter',
  INVALID_OPENING_QUOTE: 'has a quote in the middle of a value that is in no quotes',
};

function explain(error: unknown, name: string): unknown {
  const code = codeOf(error) ?? '';
  const { lines } = error as { lines?: number };
  if (lines === undefined) return error;
  const what = FAULTS[code] ?? `cannot be read as CSV (${code})`;
  return new UnrecoverableError(`${name} ${what}, at line ${lines}; correct it, then rowlock retry this job`);
}

async function* readJsonLines(chunks: AsyncIterable<string>, name: string): Lines {
  let line = 0;
  let columns: string[] | undefined;
  for await (const text of splitLines(chunks, name)) {
    line += 1;
    if (text.trim() === '') continue;
    const fields = parseObject(text);
    if (columns === undefined) {
      if (fields === undefined) throw new UnrecoverableError(`line ${line} of ${name} is no JSON object; correct it`);
      columns = Object.keys(fields);
      yield columns;
    }
    yield {
      line,
      fields: fields ?? {},
      size: text.length,
      fault: fields === undefined ? 'is no JSON object' : undefined,
    };
  }
}

async function* splitLines(chunks: AsyncIterable<string>, name: string): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > LONGEST_LINE)
      throw new UnrecoverableError(
        `${name} has a line of more than ${LONGEST_LINE} characters; it is no list of recipients`,
      );
    yield* lines;
  }
  yield rest;
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value = parseJson(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined; // it is told of as a fault of its line
  }
}
