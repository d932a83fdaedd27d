import { readInto } from './csv-bytes';
import { type Parsed, parseRecords } from './csv-records';

/** What was read of a file from a place on, and taken apart. */
export interface Piece extends Parsed {
  bytes: Buffer;
}

/**
 * Read at once. Of 128 KB the fields outlived two collections of young objects, which was then a third of the work; 16 KB
 * are no better than 32.
 */
const PIECE_BYTES = 32 * 1024;
/** A record is held in memory whole, and goes to the server in one statement. */
export const LONGEST_RECORD = 1024 * 1024;

const LONGER = `longer than ${LONGEST_RECORD} bytes`;

const NEWLINE = 0x0a;

/** Reads a file in pieces that each have whole records. */
export class PieceReader {
  private room = Buffer.allocUnsafe(PIECE_BYTES);
  private readonly fd: number;
  private readonly size: number;
  private readonly delimiter: string;

  /** @param size where the file ends */
  constructor(fd: number, size: number, delimiter: string) {
    this.fd = fd;
    this.size = size;
    this.delimiter = delimiter;
  }

  /**
   * Reads one record at least. Without any, the piece has the fault of the first; without that, the file has ended.
   * Its bytes are written over by the next.
   *
   * @param from a byte at which a record begins
   */
  async read(from: number): Promise<Piece> {
    for (let length = PIECE_BYTES; ; length *= 2) {
      if (this.room.length < length) this.room = Buffer.allocUnsafe(length);
      const read = await readInto(this.room, this.fd, from, Math.min(length, this.size - from));
      const isLast = from + read.length >= this.size || read.length === 0;
      const bytes = isLast ? read : read.subarray(0, read.lastIndexOf(NEWLINE) + 1);
      // A megabyte of empty lines behind a long record would be 100 MB of objects.
      const parsed = parseRecords(bytes, this.delimiter, isLast, length > PIECE_BYTES ? 'one' : 'all');
      if (parsed.ends.length > 0 || parsed.fault !== undefined || isLast) return { bytes, ...parsed };
      if (length >= LONGEST_RECORD) return { bytes, ...parsed, fault: sayLonger(bytes) };
    }
  }
}

const sayLonger = (lines: Buffer): string =>
  lines.length === 0 ? LONGER : `a quote is opened and not closed, or what it holds is ${LONGER}`;
