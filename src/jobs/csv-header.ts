import { UnrecoverableError } from '../errors';
import { readBytes, readLines } from './csv-lines';
import type { ImportOrder } from './csv-payload';
import { EMPTY_TEXT, type Field } from './csv-records';
import type { JobFile } from './job-file';

/** Where the lines of a file begin, and what its header says. */
export interface Header {
  /** The first byte behind the header, and the number of the line there. */
  byte: number;
  line: number;
  /** The names in the header; null: the payload says what the fields are. */
  names: string[] | null;
}

const HEAD_BYTES = 64 * 1024;
const BOM = Buffer.from([0xef, 0xbb, 0xbf]);

/** What people upload for a CSV file. */
const OTHER_FORMATS: [name: string, start: Buffer][] = [
  ['a ZIP archive, as .xlsx is; save it as CSV', Buffer.from('PK\u0003\u0004')],
  ['an old Excel file; save it as CSV', Buffer.from([0xd0, 0xcf, 0x11, 0xe0])],
  ['gzipped; unpack it first', Buffer.from([0x1f, 0x8b])],
  ['a PDF', Buffer.from('%PDF-')],
  ['UTF-16; convert it, as with iconv -f UTF-16 -t UTF-8', Buffer.from([0xff, 0xfe])],
  ['UTF-16; convert it, as with iconv -f UTF-16 -t UTF-8', Buffer.from([0xfe, 0xff])],
];

/**
 * Looks at the head of a file.
 *
 * @throws UnrecoverableError if it is no CSV file
 */
export async function readHeader(
  { handle, stats }: JobFile,
  { file, columns, delimiter }: ImportOrder,
  signal: AbortSignal,
): Promise<Header> {
  const head = await readBytes(handle, 0, Math.min(HEAD_BYTES, stats.size));
  const fault = findFault(head);
  if (fault !== undefined) throw new UnrecoverableError(`${file} is ${fault}`);
  const from = head.subarray(0, BOM.length).equals(BOM) ? BOM.length : 0;
  if (Array.isArray(columns)) return { byte: from, line: 1, names: null };

  const form = { delimiter, size: stats.size, toRow: (fields: Field[]) => fields };
  const lines = await readLines(handle, from, form, { lines: 1, bytes: 1 }, signal);
  const index = lines.findIndex(({ row, fault }) => row !== undefined || fault !== undefined);
  const header = lines[index];
  if (header === undefined) throw new UnrecoverableError(`${file} has no header, and nothing else`);
  if (header.fault !== undefined) {
    throw new UnrecoverableError(`the header of ${file} cannot be read: ${header.fault.kind}`);
  }
  const line = lines.slice(0, index + 1).reduce((sum, { lines: own }) => sum + own, 1);
  return { byte: header.end, line, names: (header.row ?? []).map((name) => (name === EMPTY_TEXT ? '' : name.trim())) };
}

function findFault(head: Buffer): string | undefined {
  if (head.length === 0) return 'empty';
  const other = OTHER_FORMATS.find(([, start]) => head.subarray(0, start.length).equals(start));
  if (other !== undefined) return other[0];
  if (head.includes(0)) return 'binary: a byte of its head is 0; save it as CSV in UTF-8';
  if (head.includes('\r') && !head.includes('\n'))
    return "one long line, as its lines end with CR alone; tr '\\r' '\\n' mends it";
  return undefined;
}
