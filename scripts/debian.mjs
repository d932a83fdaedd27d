import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT } from './project.mjs';

const FOLDER = join(PROJECT, '.tmp', 'debian');

/** Whether Debian's packages can be had here; with no way to Debian's servers {@link unpackDebian} throws. */
export const hasDebian = () => spawnSync('apt-get', ['--version'], { stdio: 'ignore' }).status === 0;

/**
 * The folder into which a Debian package is unpacked: `<folder>/usr/sbin/cron`. Nothing is installed on this
 * machine, no daemon is started, and no system file is touched. It stays for the next time.
 *
 * @param {readonly [string, ...string[]]} names what the package is called, in one release or another
 */
export function unpackDebian(names) {
  const root = join(FOLDER, names[0]);
  if (existsSync(root)) return root;
  mkdirSync(FOLDER, { recursive: true });
  // Under a name of its own until it is whole: another process may want the same package.
  const unpacked = mkdtempSync(join(FOLDER, '.unpacking-'));
  try {
    download(names, unpacked);
    const [file = ''] = readdirSync(unpacked).filter((entry) => entry.endsWith('.deb'));
    execFileSync('dpkg', ['-x', join(unpacked, file), join(unpacked, 'root')]);
    moveUnlessThere(join(unpacked, 'root'), root);
  } finally {
    rmSync(unpacked, { recursive: true, force: true });
  }
  return root;
}

/**
 * From the lists that apt has, and if it has none, or old ones, from new ones.
 *
 * @param {readonly string[]} names
 * @param {string} cwd
 */
function download(names, cwd) {
  let said = '';
  const get = (/** @type {string[]} */ ...args) => {
    const { status, stderr } = spawnSync('apt-get', ['-qq', ...args], { cwd, encoding: 'utf8' });
    said += stderr;
    return status === 0;
  };
  const getAny = () => names.some((name) => get('-o', 'APT::Sandbox::User=root', 'download', name));
  if (getAny()) return;
  get('update');
  if (!getAny()) throw new Error(`no package ${names.join(' or ')} could be had from Debian's servers: ${said}`);
}

/**
 * @param {string} from
 * @param {string} to
 */
function moveUnlessThere(from, to) {
  try {
    renameSync(from, to);
  } catch (error) {
    if (!existsSync(to)) throw error;
  }
}
