import { isUtf8 } from 'node:buffer';
import type { FileHandle } from 'node:fs/promises';
import { type Field, type Parsed, parseRecords } from './csv-records';

/** A record of the file with its place in it. Most are a line; one with line ends inside of quotes is several. */
export interface Line<Row> {
  /** Bytes from the start of the file; `end` is behind its line end. */
  start: number;
  end: number;
  /** How many lines of text it is. */
  lines: number;
  /** What is made of its fields; undefined of a line with a fault, and of one on which nothing stands. */
  row: Row | undefined;
  fault: LineFault | undefined;
}

/** What is wrong with a line. */
export interface LineFault {
  /** In words, and perhaps with a value of it. */
  why: string;
  /** The same without any value, for last_error. */
  kind: string;
}

export interface LinesForm<Row> {
  delimiter: string;
  /** How many fields a line has to have; undefined: any number. */
  fields?: number | undefined;
  /** Bytes of a record at most. @default LONGEST_RECORD */
  longest?: number;
  /** Where the file ends. */
  size: number;
  /**
   * At once, as the fields of many lines are more than the heap can do with.
   *
   * @param isPlain true if no field has a backslash, a tab, a line end or a NUL
   */
  toRow(fields: Field[], isPlain: boolean): Row;
}

/** Read at once, and parsed with no other work in between: 5 ms. */
const PIECE_BYTES = 128 * 1024;
/** A record is held in memory whole, and goes to the server in one statement. */
export const LONGEST_RECORD = 1024 * 1024;

const LONGER = `longer than ${LONGEST_RECORD} bytes`;

const NEWLINE = 0x0a;
/** Backslash, tab, NUL; a line end is in a field only where a record is more than one line. */
const SPECIAL = [0x5c, 0x09, 0x00];

/**
 * Reads records from a place on, until there are enough or the file ends.
 *
 * @param from a byte at which a record begins
 * @param enough how many records, or bytes, are wanted
 */
export async function readLines<Row>(
  handle: FileHandle,
  from: number,
  form: LinesForm<Row>,
  enough: { lines: number; bytes: number },
  signal: AbortSignal,
): Promise<Line<Row>[]> {
  const lines: Line<Row>[] = [];
  let at = from;
  let length = PIECE_BYTES;
  let room = Buffer.allocUnsafe(length);
  const skip = async (kind: string) => {
    const end = await endOfLine(handle, at, form.size, signal);
    lines.push({ start: at, end, lines: 1, row: undefined, fault: faulty(kind) });
    at = end;
  };
  while (at < form.size && lines.length < enough.lines && at - from < enough.bytes) {
    signal.throwIfAborted();
    if (room.length < length) room = Buffer.allocUnsafe(length);
    const bytes = await readInto(room, handle, at, Math.min(length, form.size - at));
    const isLast = at + bytes.length >= form.size || bytes.length === 0;
    const whole = isLast ? bytes : bytes.subarray(0, bytes.lastIndexOf(NEWLINE) + 1);
    const parsed = parseRecords(whole, form.delimiter, isLast);
    addLines(lines, whole, at, parsed, form);
    const taken = parsed.ends.at(-1) ?? 0;
    at += taken;
    if (parsed.fault !== undefined) {
      await skip(parsed.fault);
    } else if (taken > 0) {
      length = PIECE_BYTES;
    } else if (isLast) {
      break;
    } else if (length < LONGEST_RECORD) {
      length *= 2;
    } else {
      await skip(whole.length === 0 ? LONGER : `a quote is opened and not closed, or what it holds is ${LONGER}`);
      length = PIECE_BYTES;
    }
  }
  return lines;
}

function addLines<Row>(
  to: Line<Row>[],
  bytes: Buffer,
  offset: number,
  { records, ends, isOneLineEach }: Parsed,
  { fields: wanted, longest = LONGEST_RECORD, toRow }: LinesForm<Row>,
): void {
  const isValid = isUtf8(bytes);
  const isPlain = isOneLineEach && !SPECIAL.some((byte) => bytes.includes(byte));
  let start = 0;
  for (let index = 0; index < records.length; index++) {
    const fields = records[index] ?? [];
    const end = ends[index] ?? start;
    const line: Line<Row> = { start: offset + start, end: offset + end, lines: 1, row: undefined, fault: undefined };
    if (!isOneLineEach) line.lines = countLines(bytes, start, end);
    if (!isValid && !isUtf8(bytes.subarray(start, end))) line.fault = faulty(NOT_UTF8);
    else if (end - start > longest) line.fault = faulty(`longer than ${longest} bytes`);
    else if (wanted !== undefined && fields.length !== wanted) {
      if (!isBlank(fields)) line.fault = faulty(`${fields.length} fields and not ${wanted}`);
    } else if (!isBlank(fields)) line.row = toRow(fields, isPlain);
    to.push(line);
    start = end;
  }
}

const isBlank = (fields: Field[]): boolean => fields.length === 1 && fields[0] === '';

const NOT_UTF8 = 'not UTF-8; convert the file, as with iconv -f WINDOWS-1252 -t UTF-8';

const faulty = (kind: string): LineFault => ({ why: kind, kind });

/** Line ends in it; one at least. */
function countLines(bytes: Buffer, from: number, to: number): number {
  let count = 0;
  for (let at = bytes.indexOf(NEWLINE, from); at >= 0 && at < to; at = bytes.indexOf(NEWLINE, at + 1)) count++;
  return Math.max(1, count);
}

/** Up to `length` bytes; fewer where the file ends. */
export const readBytes = (handle: FileHandle, from: number, length: number): Promise<Buffer> =>
  readInto(Buffer.allocUnsafe(length), handle, from, length);

async function readInto(room: Buffer, handle: FileHandle, from: number, length: number): Promise<Buffer> {
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(room, filled, length - filled, from + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return room.subarray(0, filled);
}

/** Behind the next line end, or at the end of the file. A line of any length is only looked through. */
async function endOfLine(handle: FileHandle, from: number, size: number, signal: AbortSignal): Promise<number> {
  for (let at = from; at < size; ) {
    signal.throwIfAborted();
    const bytes = await readBytes(handle, at, Math.min(LONGEST_RECORD, size - at));
    if (bytes.length === 0) break;
    const found = bytes.indexOf(NEWLINE);
    if (found >= 0) return at + found + 1;
    at += bytes.length;
  }
  return size;
}
