import { constants, type Stats } from 'node:fs';
import { type FileHandle, open, readlink, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, UnrecoverableError } from '../errors';
import { assertWithin, findHome } from './job-folder';

/** A file of the folder `JOB_FILES_DIR` that is open for reading. Its reader closes it. */
export interface JobFile {
  handle: FileHandle;
  /** Its own path, with every link followed. */
  path: string;
  stats: Stats;
}

/**
 * Opens a file that a payload names. Whoever may insert a job may not read the whole disk: a path with `..` in it or a
 * symbolic link leads to a file within the folder, or to an error.
 *
 * @param name a path within the folder, such as `2026/november.csv`
 * @throws UnrecoverableError if there is no such file in the folder, or it is none that can be read through
 */
export async function openJobFile(folder: string, name: string): Promise<JobFile> {
  const home = await findHome(folder);
  const path = await realpath(join(home, name)).catch((error: unknown) => {
    throw explain(error, name);
  });
  assertWithin(home, path, name);
  const file = await openPlain(path, name);
  try {
    if (isLinux) assertWithin(home, await readlink(`/proc/self/fd/${file.handle.fd}`), name);
    if (!file.stats.isFile()) throw new UnrecoverableError(`${name} is no plain file; name one in JOB_FILES_DIR`);
    return file;
  } catch (error) {
    await file.handle.close();
    throw error;
  }
}

/**
 * Linux tells where the file is that was opened: a folder of its path may have become a link since that was followed.
 * Elsewhere only the file itself cannot: there, whoever may write in the folder can have any file read.
 */
const isLinux = process.platform === 'linux';

async function openPlain(path: string, name: string): Promise<JobFile> {
  // The file cannot become a link meanwhile; and a pipe is refused, not waited for.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  try {
    const handle = await open(path, flags);
    return { handle, path, stats: await handle.stat() };
  } catch (error) {
    throw explain(error, name);
  }
}

const NOT_THERE = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG', 'ERR_INVALID_ARG_VALUE', 'ENXIO']);

function explain(error: unknown, name: string): Error {
  const code = codeOf(error);
  if (code !== undefined && NOT_THERE.has(code)) {
    return new UnrecoverableError(
      `there is no file ${name} in JOB_FILES_DIR; put it there, then rowlock retry this job`,
    );
  }
  return new Error(`${name} in JOB_FILES_DIR cannot be read (${code}); let the user of the worker read it`, {
    cause: error,
  });
}
