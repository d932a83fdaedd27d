import { isUtf8 } from 'node:buffer';
import type { FileHandle } from 'node:fs/promises';
import { type CsvRecord, parseRecords } from './csv-records';

/** A record of the file with its place in it. Most are a line; one with line ends inside of quotes is several. */
export interface Line {
  /** Bytes from the start of the file; `end` is behind its line end. */
  start: number;
  end: number;
  /** How many lines of text it is. */
  lines: number;
  /** Undefined of a line with a fault; empty of one on which nothing stands. */
  fields?: (string | null)[];
  fault?: LineFault;
}

/** What is wrong with a line. */
export interface LineFault {
  /** In words, and perhaps with a value of it. */
  why: string;
  /** The same without any value, for last_error. */
  kind: string;
}

export interface LinesForm {
  delimiter: string;
  /** How many fields a line has to have; undefined: any number. */
  fields?: number | undefined;
  /** Bytes of a record at most. @default LONGEST_RECORD */
  longest?: number;
  /** Where the file ends. */
  size: number;
}

/** Read at once, and parsed with no other work in between: 2 ms. */
const PIECE_BYTES = 64 * 1024;
/** A record is held in memory whole, and goes to the server in one statement. */
export const LONGEST_RECORD = 1024 * 1024;

const LONGER = `longer than ${LONGEST_RECORD} bytes`;

const NEWLINE = 0x0a;

const faulty = (kind: string): LineFault => ({ why: kind, kind });

/**
 * Reads records from a place on, until there are enough or the file ends.
 *
 * @param from a byte at which a record begins
 * @param enough how many records, or bytes, are wanted
 */
export async function readLines(
  handle: FileHandle,
  from: number,
  form: LinesForm,
  enough: { lines: number; bytes: number },
  signal: AbortSignal,
): Promise<Line[]> {
  const lines: Line[] = [];
  let at = from;
  let length = PIECE_BYTES;
  while (at < form.size && lines.length < enough.lines && at - from < enough.bytes) {
    signal.throwIfAborted();
    const bytes = await readBytes(handle, at, Math.min(length, form.size - at));
    const isLast = at + bytes.length >= form.size || bytes.length === 0;
    const whole = isLast ? bytes : bytes.subarray(0, bytes.lastIndexOf(NEWLINE) + 1);
    const { records, taken, fault } = parseRecords(whole, form.delimiter, isLast);
    const valid = isUtf8(whole.subarray(0, taken));
    for (const record of records) lines.push(toLine(whole, at, lines.at(-1)?.end ?? from, record, form, valid));
    at += taken;
    if (fault !== undefined) {
      at = await endOfLine(handle, at, form.size, signal);
      lines.push({ start: lines.at(-1)?.end ?? from, end: at, lines: 1, fault: faulty(fault) });
    } else if (taken > 0) {
      length = PIECE_BYTES;
    } else if (isLast) {
      break;
    } else if (bytes.length < LONGEST_RECORD) {
      length = Math.min(LONGEST_RECORD, length * 4);
    } else {
      const isQuote = whole.length > 0;
      at = await endOfLine(handle, at, form.size, signal);
      const kind = isQuote ? `a quote is opened and not closed, or its field is ${LONGER}` : LONGER;
      lines.push({ start: lines.at(-1)?.end ?? from, end: at, lines: 1, fault: faulty(kind) });
      length = PIECE_BYTES;
    }
  }
  return lines;
}

function toLine(
  bytes: Buffer,
  offset: number,
  start: number,
  { fields, end }: CsvRecord,
  { fields: wanted, longest = LONGEST_RECORD }: LinesForm,
  valid: boolean,
): Line {
  const own = bytes.subarray(start - offset, end);
  const place = { start, end: offset + end, lines: countLines(own) };
  if (!valid && !isUtf8(own)) {
    return { ...place, fault: faulty('not UTF-8; convert the file, as with iconv -f WINDOWS-1252 -t UTF-8') };
  }
  if (own.length > longest) return { ...place, fault: faulty(`longer than ${longest} bytes`) };
  if (fields.length === 1 && fields[0] === null) return { ...place, fields: [] };
  if (wanted === undefined || fields.length === wanted) return { ...place, fields };
  return { ...place, fault: faulty(`${fields.length} fields and not ${wanted}`) };
}

/** Line ends in it; one at least. */
function countLines(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) count++;
  return Math.max(1, count);
}

/** Up to `length` bytes; fewer where the file ends. */
export async function readBytes(handle: FileHandle, from: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(buffer, filled, length - filled, from + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
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
