import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { codeOf } from '../errors';
import type { JobInfo } from '../worker/define';

const BUFFER_BYTES = 256 * 1024;

/**
 * Writes a file that is there whole, or not at all: to a temporary file beside it, flushed to the disk, then
 * renamed. Rename replaces a symbolic link and does not follow it.
 *
 * @param write fills the stream and ends it
 * @returns the bytes written
 */
export async function writeWhole(
  folder: string,
  name: string,
  { id, attempt }: JobInfo,
  write: (to: Writable) => Promise<void>,
): Promise<number> {
  const prefix = `.${name}.${id}-`;
  const temporary = join(folder, `${prefix}${attempt}.tmp`);
  try {
    await mkdir(folder, { recursive: true });
    await removeLeftovers(folder, prefix, /^\d+\.tmp$/);
    const bytes = await writeTemporary(temporary, write);
    await rename(temporary, join(folder, name));
    await flushFolder(folder);
    return bytes;
  } catch (error) {
    // Not found is as good; what cannot be removed is so by the next attempt.
    await rm(temporary, { force: true }).catch(() => undefined);
    throw explain(error, folder);
  }
}

/**
 * An earlier attempt that was cut off, or sleeps: without its file it cannot put half of one in place.
 *
 * @param rest what follows the prefix: the name of another job's file may begin with all of it
 */
export async function removeLeftovers(folder: string, prefix: string, rest: RegExp): Promise<void> {
  const names = await readdir(folder);
  for (const name of names) {
    if (name.startsWith(prefix) && rest.test(name.slice(prefix.length))) await rm(join(folder, name), { force: true });
  }
}

async function writeTemporary(path: string, write: (to: Writable) => Promise<void>): Promise<number> {
  const flags = constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY | constants.O_NOFOLLOW;
  const handle = await open(path, flags, 0o666);
  const stream = handle.createWriteStream({ autoClose: false, highWaterMark: BUFFER_BYTES });
  try {
    await write(stream);
    await handle.sync();
    return stream.bytesWritten;
  } finally {
    // The handle does not close while a stream holds it.
    stream.destroy();
    await handle.close();
  }
}

/** After this a rename within the folder outlives a power cut. */
export async function flushFolder(folder: string): Promise<void> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(folder, 'r');
    await handle.sync();
  } finally {
    await handle?.close();
  }
}

const MENDS: Record<string, string> = {
  ENOSPC: 'the disk is full: free some space',
  EDQUOT: 'the quota is used up: free some space',
  EROFS: 'the disk is read-only',
  EACCES: 'permission denied: let the user of the worker write there',
  EPERM: 'not permitted: let the user of the worker write there',
  ENOTDIR: 'a part of the path is no folder: correct it, or',
  EISDIR: 'a folder has that name',
  EFBIG: 'the file is too large for the disk or the limit of the worker',
  EMFILE: 'too many files are open',
  EIO: 'the disk fails',
};

/**
 * What a fault of the disk is, and how to mend it; undefined for any other. All may have been mended by the next attempt.
 *
 * @param setting the variable that names the folder
 */
export function sayDiskFault(error: unknown, setting: string): string | undefined {
  const code = codeOf(error);
  const mend = code === undefined ? undefined : MENDS[code];
  return mend === undefined ? undefined : `(${code}): ${code === 'ENOTDIR' ? `${mend} ${setting}` : mend}`;
}

function explain(error: unknown, folder: string): unknown {
  const fault = sayDiskFault(error, 'REPORT_DIR');
  return fault === undefined
    ? error
    : new Error(`the report cannot be written to ${folder} ${fault}`, { cause: error });
}
