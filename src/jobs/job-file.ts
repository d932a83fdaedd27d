import { constants, type Stats } from 'node:fs';
import { type FileHandle, open, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { codeOf, UnrecoverableError } from '../errors';

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
  const path = await findPath(folder, name);
  const file = await openPlain(path, name);
  if (file.stats.isFile()) return file;
  await file.handle.close();
  throw new UnrecoverableError(`${name} is no plain file; name one in JOB_FILES_DIR`);
}

/** The file's own path, with every link followed. */
async function findPath(folder: string, name: string): Promise<string> {
  const home = await realpath(folder).catch((error: unknown) => {
    // It may be on a disk that is not there yet.
    throw new Error(
      `the folder of JOB_FILES_DIR cannot be entered (${codeOf(error)}); create it, or correct the setting`,
    );
  });
  const path = await realpath(join(home, name)).catch((error: unknown) => {
    throw explain(error, name);
  });
  if (path.startsWith(home.endsWith(sep) ? home : home + sep)) return path;
  throw new UnrecoverableError(`${name} leads out of JOB_FILES_DIR; name a file within it`);
}

async function openPlain(path: string, name: string): Promise<JobFile> {
  // What was looked at above cannot become a link meanwhile; and a pipe is refused, not waited for.
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
