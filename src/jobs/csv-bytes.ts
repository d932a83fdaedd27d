import { read } from 'node:fs';
import { promisify } from 'node:util';

const readSome = promisify(read);

const NEWLINE = 0x0a;

/** Looked through at once for the end of a line. */
const PIECE_BYTES = 128 * 1024;

/** Up to `length` bytes from a place on; fewer where the file ends. */
export const readBytes = (fd: number, from: number, length: number): Promise<Buffer> =>
  readInto(Buffer.allocUnsafe(length), fd, from, length);

/** The same, into bytes that are there: what is returned is a part of them. */
export async function readInto(room: Buffer, fd: number, from: number, length: number): Promise<Buffer> {
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await readSome(fd, room, filled, length - filled, from + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return room.subarray(0, filled);
}

/** Behind the next line end, or at the end of the file. A line of any length is only looked through. */
export async function findLineEnd(fd: number, from: number, size: number): Promise<number> {
  const room = Buffer.allocUnsafe(PIECE_BYTES);
  for (let at = from; at < size; ) {
    const bytes = await readInto(room, fd, at, Math.min(room.length, size - at));
    if (bytes.length === 0) break;
    const found = bytes.indexOf(NEWLINE);
    if (found >= 0) return at + found + 1;
    at += bytes.length;
  }
  return size;
}

/** Where each line of it ends, line end included; the last may have none. */
export function findLineEnds(bytes: Buffer): number[] {
  const ends: number[] = [];
  let end = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, end)) {
    end = at + 1;
    ends.push(end);
  }
  if (end < bytes.length) ends.push(bytes.length);
  return ends;
}
