import { randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, realpath, rename, rm, stat } from 'node:fs/promises';
import { join, normalize, sep } from 'node:path';
import { codeOf, UnrecoverableError } from '../errors';
import { HandedOn } from '../worker/context';
import type { JobContext } from '../worker/define';
import { flushFolder, removeLeftovers, sayDiskFault } from './report-file';

/** Where a file is to be put: a folder with every link followed, and a name in it. */
export interface Place {
  folder: string;
  name: string;
}

/**
 * The place that a payload names, in a folder that is there afterwards.
 *
 * @param output a path within the folder of `JOB_FILES_DIR`
 * @throws UnrecoverableError if it leads out of the folder, by `..` or by a symbolic link
 */
export async function findPlace(filesFolder: string, output: string): Promise<Place> {
  const home = await realpath(filesFolder).catch((error: unknown) => {
    // It may be on a disk that is not there yet.
    throw new Error(
      `the folder of JOB_FILES_DIR cannot be entered (${codeOf(error)}); create it, or correct the setting`,
    );
  });
  const parts = normalize(output).split(sep);
  const name = parts.pop() ?? '';
  let folder = home;
  for (const part of parts) {
    folder = part === '..' ? join(home, '..') : await enter(join(folder, part), output);
    if (folder !== home && !folder.startsWith(home.endsWith(sep) ? home : home + sep))
      throw new UnrecoverableError(`${output} leads out of JOB_FILES_DIR; name a file within it`);
  }
  return { folder, name };
}

async function enter(path: string, output: string): Promise<string> {
  try {
    await mkdir(path).catch((error: unknown) => {
      if (codeOf(error) !== 'EEXIST') throw error;
    });
    return await realpath(path);
  } catch (error) {
    throw explain(error, output);
  }
}

/** The checkpoint of a job whose output is whole, and maybe in place. */
interface Finished {
  /** The temporary file's name. */
  temporary: string;
  /** By these it is known again under either name: a rename changes none of them. */
  inode: string;
  changed: string;
  bytes: number;
}

/**
 * Has a file made that is there whole, or not at all: as a hidden file beside it, flushed to the disk, then renamed.
 * That it is whole is saved before the rename, so that an attempt that was cut off between the two, or after them, is
 * not made again: the next one only puts the file in place. What earlier attempts left of it is removed.
 *
 * @param make writes to a path that is not there yet
 * @returns the bytes of the file
 */
export async function makeOutput(
  { folder, name }: Place,
  { job, checkpoint, save }: Pick<JobContext, 'job' | 'checkpoint' | 'save'>,
  make: (path: string) => Promise<void>,
): Promise<number> {
  const earlier = checkpoint as Finished | null;
  if (earlier !== null && (await isFinished(join(folder, name), earlier))) return earlier.bytes;
  const isMade = earlier !== null && (await isFinished(join(folder, earlier.temporary), earlier));
  const { temporary, bytes } = isMade ? earlier : await makeTemporary({ folder, name }, { job, save }, make);
  await putInPlace({ folder, name }, temporary);
  return bytes;
}

async function makeTemporary(
  { folder, name }: Place,
  { job, save }: Pick<JobContext, 'job' | 'save'>,
  make: (path: string) => Promise<void>,
): Promise<Finished> {
  const prefix = `.${name}.${job.id}-`;
  // Not the attempt's number, which one that was rescued has again: the earlier one may only sleep.
  const temporary = `${prefix}${randomBytes(4).toString('hex')}.tmp`;
  const path = join(folder, temporary);
  try {
    await removeLeftovers(folder, prefix);
    await make(path);
    const finished = await flush(path, temporary);
    await save(finished);
    return finished;
  } catch (error) {
    // It is saved: the next attempt puts it in place.
    if (error instanceof HandedOn) throw error;
    // Not found is as good; what cannot be removed is so by the next attempt.
    await rm(path, { force: true }).catch(() => undefined);
    throw explain(error, name);
  }
}

async function flush(path: string, temporary: string): Promise<Finished> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, 'r+');
    await handle.sync();
    const { ino, size, mtimeNs } = await handle.stat({ bigint: true });
    if (size === 0n) throw new Error(`what was made for ${temporary} is empty`);
    return { temporary, inode: String(ino), changed: String(mtimeNs), bytes: Number(size) };
  } finally {
    await handle?.close();
  }
}

async function isFinished(path: string, { inode, changed, bytes }: Finished): Promise<boolean> {
  try {
    const { ino, size, mtimeNs } = await stat(path, { bigint: true });
    return String(ino) === inode && String(mtimeNs) === changed && Number(size) === bytes;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

async function putInPlace({ folder, name }: Place, temporary: string): Promise<void> {
  try {
    await rename(join(folder, temporary), join(folder, name));
    await flushFolder(folder);
  } catch (error) {
    throw explain(error, name);
  }
}

function explain(error: unknown, output: string): unknown {
  const fault = sayDiskFault(error, 'JOB_FILES_DIR');
  return fault === undefined
    ? error
    : new Error(`${output} cannot be written in JOB_FILES_DIR ${fault}`, { cause: error });
}
