import { realpath } from 'node:fs/promises';
import { sep } from 'node:path';
import { codeOf, UnrecoverableError } from '../errors';

const LONGEST_PATH = 1_000;

const isPath = (text: string): boolean => text !== '' && !text.startsWith('/') && !text.includes('\0');

/** What a payload may name: a path within `JOB_FILES_DIR`. */
export const pathSchema = ({ string }: typeof import('zod').z, example: string) =>
  string().max(LONGEST_PATH).refine(isPath, `is no path within JOB_FILES_DIR, such as ${example}`);

/**
 * The folder's own path, with every link followed.
 *
 * @throws Error if it cannot be entered: it may be on a disk that is not there yet
 */
export async function findHome(filesFolder: string): Promise<string> {
  return realpath(filesFolder).catch((error: unknown) => {
    throw new Error(
      `the folder of JOB_FILES_DIR cannot be entered (${codeOf(error)}); create it, or correct the setting`,
    );
  });
}

/** @throws UnrecoverableError if a path, with every link followed, is not within the folder */
export function assertWithin(home: string, path: string, name: string): void {
  if (path.startsWith(home.endsWith(sep) ? home : home + sep)) return;
  throw new UnrecoverableError(`${name} leads out of JOB_FILES_DIR; name a file within it`);
}
