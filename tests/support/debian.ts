import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';

const SCRIPT = join(__dirname, '..', '..', 'scripts', 'unpack-debian.mjs');

/** Whether Debian's packages can be had here; with no way to Debian's servers their tests fail, and say so. */
export const hasDebian = spawnSync('apt-get', ['--version'], { stdio: 'ignore' }).status === 0;

/**
 * The folder into which a Debian package is unpacked: `<folder>/usr/sbin/cron`. Nothing is installed on this
 * machine, no daemon is started, and no system file is touched. It stays for the next run of the tests.
 *
 * @param names what the package is called, in one release or another
 */
export const unpackDebian = (...names: [string, ...string[]]): string =>
  execFileSync(process.execPath, [SCRIPT, ...names], { encoding: 'utf8' });
