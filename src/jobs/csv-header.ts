import { isUtf8 } from 'node:buffer';
import { UnrecoverableError } from '../errors';
import { findLineEnds, readBytes } from './csv-bytes';
import type { ImportOrder } from './csv-payload';
import { PieceReader } from './csv-pieces';
import { EMPTY_TEXT, type Field, isBlank, NOT_UTF8 } from './csv-records';
import type { JobFile } from './job-file';
import { findOtherFormat } from './other-formats';

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

/**
 * Looks at the head of a file.
 *
 * @throws UnrecoverableError if it is no CSV file
 */
export async function readHeader(
  { handle, stats }: JobFile,
  { file, columns, delimiter }: ImportOrder,
): Promise<Header> {
  const head = await readBytes(handle.fd, 0, Math.min(HEAD_BYTES, stats.size));
  const fault = findFault(head);
  if (fault !== undefined) throw new UnrecoverableError(`${file} is ${fault}`);
  const from = head.subarray(0, BOM.length).equals(BOM) ? BOM.length : 0;
  if (Array.isArray(columns)) return { byte: from, line: 1, names: null };

  const {
    bytes,
    records,
    ends,
    fault: unreadable,
  } = await new PieceReader(handle.fd, stats.size, delimiter).read(from);
  const index = records.findIndex((fields) => !isBlank(fields));
  const names = records[index];
  if (names === undefined) {
    if (unreadable === undefined) throw new UnrecoverableError(`${file} has no header, and nothing else`);
    throw new UnrecoverableError(`the header of ${file} cannot be read: ${unreadable}`);
  }
  const end = ends[index] ?? bytes.length;
  if (!isUtf8(bytes.subarray(0, end)))
    throw new UnrecoverableError(`the header of ${file} cannot be read: ${NOT_UTF8}`);
  return { byte: from + end, line: 1 + findLineEnds(bytes.subarray(0, end)).length, names: names.map(toName) };
}

const toName = (field: Field): string => (field === EMPTY_TEXT ? '' : Buffer.from(field, 'latin1').toString().trim());

function findFault(head: Buffer): string | undefined {
  if (head.length === 0) return 'empty';
  const other = findOtherFormat(head);
  if (other !== undefined) return other;
  if (head.includes(0)) return 'binary: a byte of its head is 0; save it as CSV in UTF-8';
  if (head.includes('\r') && !head.includes('\n'))
    return "one long line, as its lines end with CR alone; tr '\\r' '\\n' mends it";
  return undefined;
}
