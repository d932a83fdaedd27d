import { statSync } from 'node:fs';
import { type Check, ok, warning } from './finding';

const BY_ANYONE = 0o006;

/** It holds the password of the database. */
export const envFile: Check = {
  name: 'env-file',
  async run({ envFile: path }) {
    const stats = path === undefined ? undefined : statSync(path, { throwIfNoEntry: false });
    if (path === undefined || stats === undefined) return ok('none');
    if (process.platform === 'win32' || (stats.mode & BY_ANYONE) === 0) return ok(path);
    return warning(`${path} can be read or written by every user of this machine`, `chmod 600 ${path}`);
  },
};
