import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';

/**
 * The path of a program; folders are looked through in turn, the PATH's after those.
 *
 * @param {string} name
 * @param {readonly string[]} [folders]
 */
export function findOnPath(name, folders = []) {
  const all = [...folders, ...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/usr/local/bin'];
  return all.map((folder) => join(folder, name)).find(isExecutable);
}

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    // Not there, or not for us: one of many places where it might have been.
    return false;
  }
}
