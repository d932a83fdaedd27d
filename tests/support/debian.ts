import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = join(__dirname, '..', '..', '.tmp', 'debian');

/**
 * The folder into which a Debian package is unpacked: `<folder>/usr/sbin/cron`. Nothing is installed on this
 * machine, no daemon is started, and no system file is touched. It stays for the next run of the tests.
 */
export function unpackDebian(name: string): string {
  const root = join(FOLDER, name);
  if (existsSync(root)) return root;
  mkdirSync(FOLDER, { recursive: true });
  // Under a name of its own until it is whole: another test file may want the same package.
  const unpacked = mkdtempSync(join(FOLDER, '.unpacking-'));
  try {
    download(name, unpacked);
    const [file = ''] = readdirSync(unpacked).filter((entry) => entry.endsWith('.deb'));
    execFileSync('dpkg', ['-x', join(unpacked, file), join(unpacked, 'root')]);
    moveUnlessThere(join(unpacked, 'root'), root);
  } finally {
    rmSync(unpacked, { recursive: true, force: true });
  }
  return root;
}

/** From the lists that apt has, and if it has none, or old ones, from new ones. */
function download(name: string, cwd: string): void {
  const get = (...args: string[]) =>
    execFileSync('apt-get', ['-qq', ...args], { cwd, stdio: ['ignore', 'ignore', 'pipe'] });
  const options = ['-o', 'APT::Sandbox::User=root', 'download', name];
  try {
    get(...options);
  } catch {
    get('update');
    get(...options);
  }
}

function moveUnlessThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (!existsSync(to)) throw error;
  }
}
