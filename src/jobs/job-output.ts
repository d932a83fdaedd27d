import { randomBytes } from 'node:crypto';
import { type FileHandle, lstat, mkdir, open, readdir, realpath, rename, rm, stat } from 'node:fs/promises';
import { join, normalize, sep } from 'node:path';
import { codeOf, UnrecoverableError } from '../errors';
import { HandedOn } from '../worker/context';
import type { JobContext } from '../worker/define';
import { assertWithin, findHome } from './job-folder';
import { flushFolder, removeLeftovers, sayDiskFault } from './report-file';

/** Where a file is to be put: a folder within `home`, both with every link followed, and a name in it. */
export interface OutputPlace {
  home: string;
  folder: string;
  name: string;
  /** As the payload has it. */
  output: string;
}

/**
 * The place that a payload names. Of its folder there may be only a part yet; nothing is made.
 *
 * @param output a path within the folder of `JOB_FILES_DIR`
 * @throws UnrecoverableError if it leads out of the folder, by `..` or by a symbolic link, or there can be none
 */
export async function findOutput(filesFolder: string, output: string): Promise<OutputPlace> {
  const home = await findHome(filesFolder);
  const parts = normalize(output).split(sep);
  const name = parts.pop() ?? '';
  let folder = home;
  for (const part of parts) {
    const path = join(folder, part);
    folder = (await enter(path, output)) ?? path;
    assertWithin(home, folder, output);
  }
  return { home, folder, name, output };
}

/** What no retry mends: there can be no such folder. */
const IMPOSSIBLE: Record<string, string> = {
  ENAMETOOLONG: 'a name in it is too long',
  ENOTDIR: 'a part of it is a file',
  ELOOP: 'a link in it leads to itself',
  ENOENT: 'a link in it leads nowhere',
};

/** Undefined: it is not there. */
async function enter(path: string, output: string): Promise<string | undefined> {
  try {
    // With an end that only a folder can have.
    return await realpath(path + sep);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' && !(await isThere(path))) return undefined;
    const impossible = code === undefined ? undefined : IMPOSSIBLE[code];
    if (impossible === undefined) throw explain(error, output);
    throw new UnrecoverableError(`${output} cannot be in JOB_FILES_DIR (${code}): ${impossible}; give it another path`);
  }
}

/** Also a link that leads nowhere. */
const isThere = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    () => false,
  );

/**
 * A part of the path may have become a link since it was looked at, in the hours of an encoder too. Somebody who may
 * write in `JOB_FILES_DIR` can still do that between this and the next step: the user of the worker should be able to
 * write nowhere else.
 */
async function assertUnmoved({ home, folder, output }: OutputPlace): Promise<void> {
  const path = await realpath(folder);
  if (path !== home) assertWithin(home, path, output);
  if (path !== folder) throw new Error(`the folder of ${output} was replaced meanwhile; the next attempt follows it`);
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
 * @param look sees that there is something to be made of, before a folder is made
 * @param make writes to a path that is not there yet
 * @returns the bytes of the file
 */
export async function makeOutput<Looked>(
  place: OutputPlace,
  { job, checkpoint, save }: Pick<JobContext, 'job' | 'checkpoint' | 'save'>,
  look: () => Promise<Looked>,
  make: (path: string, looked: Looked) => Promise<void>,
): Promise<number> {
  const { folder, name } = place;
  const earlier = checkpoint as Finished | null;
  if (earlier !== null && (await isFinished(join(folder, name), earlier))) return earlier.bytes;
  const isMade = earlier !== null && (await isFinished(join(folder, earlier.temporary), earlier));
  const { temporary, bytes } = isMade ? earlier : await makeTemporary(place, { job, save }, look, make);
  await putInPlace(place, temporary);
  return bytes;
}

async function makeTemporary<Looked>(
  place: OutputPlace,
  { job, save }: Pick<JobContext, 'job' | 'save'>,
  look: () => Promise<Looked>,
  make: (path: string, looked: Looked) => Promise<void>,
): Promise<Finished> {
  const { folder, name, output } = place;
  const prefix = `.${name}.${job.id}-`;
  // Not the attempt's number, which one that was rescued has again: the earlier one may only sleep.
  const temporary = `${prefix}${randomBytes(4).toString('hex')}.tmp`;
  const path = join(folder, temporary);
  try {
    await removeForgotten(folder);
    const looked = await look();
    await mkdir(folder, { recursive: true });
    await assertUnmoved(place);
    await removeLeftovers(folder, prefix, /^[0-9a-f]{8}\.tmp$/);
    await make(path, looked);
    const finished = await flush(path, temporary);
    await save(finished);
    return finished;
  } catch (error) {
    // It is saved: the next attempt puts it in place.
    if (error instanceof HandedOn) throw error;
    // Not found is as good; what cannot be removed is so by the next attempt.
    await rm(path, { force: true }).catch(() => undefined);
    throw explain(error, output);
  }
}

const UNFINISHED = /^\..+\.\d+-[0-9a-f]{8}\.tmp$/;
/** No attempt lasts so long. What one has finished and saved would only be made again. */
const FORGOTTEN_MS = 24 * 3_600_000;

/** What a dead letter has left, or a job that was cancelled while its worker died: no attempt of its own removes it. */
async function removeForgotten(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names.filter((each) => UNFINISHED.test(each))) {
    const path = join(folder, name);
    // Another worker may have removed it.
    const changed = await lstat(path).then(
      ({ mtimeMs }) => mtimeMs,
      () => Date.now(),
    );
    // One that may not be removed, as another user has made it, is no fault of this output.
    if (Date.now() - changed > FORGOTTEN_MS) await rm(path, { force: true }).catch(() => undefined);
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

async function putInPlace(place: OutputPlace, temporary: string): Promise<void> {
  const { folder, name, output } = place;
  try {
    await assertUnmoved(place);
    await rename(join(folder, temporary), join(folder, name));
    await flushFolder(folder);
  } catch (error) {
    throw explain(error, output);
  }
}

function explain(error: unknown, output: string): unknown {
  const fault = sayDiskFault(error, 'JOB_FILES_DIR');
  return fault === undefined
    ? error
    : new Error(`${output} cannot be written in JOB_FILES_DIR ${fault}`, { cause: error });
}
