import { realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import { codeOf } from '../../errors';

/** Where a node stays when it is upgraded. */
const STEADY_FOLDERS = [
  '/usr/bin',
  '/usr/local/bin',
  '/opt/homebrew/bin',
  '/home/linuxbrew/.linuxbrew/bin',
  '/run/current-system/sw/bin',
];

/** The same program by a path that an upgrade leaves in place, if there is one. */
export function findSteadyNode(node: string, folders: readonly string[] = STEADY_FOLDERS): string {
  if (folders.includes(dirname(node))) return node;
  return folders.map((folder) => `${folder}/node`).find((path) => realPath(path) === node) ?? node;
}

/** Whether a path names a version, as those of version managers do, so that an upgrade takes it away. */
export const namesVersion = (path: string): boolean => /\/v?\d+\.\d+(\.\d+)?[^/]*\//.test(path);

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'EACCES' || codeOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}
