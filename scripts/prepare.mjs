import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT } from './project.mjs';
import { run } from './run.mjs';
import { Refusal, say } from './say.mjs';

/**
 * What a lock file says of a package. `optional` ones may be meant for another kind of machine.
 * @typedef {{ version?: string, optional?: boolean, devOptional?: boolean }} LockedPackage
 */

/**
 * The versions of the lock file, which is left as it is. `npm ci` would do too, were it not that it refuses
 * a lock file in which the binaries for another kind of machine are missing.
 */
const INSTALL_OPTIONS = ['--no-save', '--include=dev', '--no-fund', '--no-audit', '--loglevel=error'];

/** Makes a fresh clone ready: packages as in the lock file, and dist built from src. */
export async function prepare() {
  process.chdir(PROJECT);
  checkNode();
  await installIn('.');
  await must(['npm', 'run', '--silent', 'build']);
}

/**
 * Installs what the lock file of a folder names, if it is not there yet.
 *
 * @param {string} folder
 */
export async function installIn(folder) {
  if (isInstalled(folder)) return;
  say(`installing packages (npm install${folder === '.' ? '' : ` in ${folder}`})`);
  await must(['npm', 'install', '--prefix', folder, ...INSTALL_OPTIONS]);
}

function checkNode() {
  const { engines } = readJson('package.json');
  const [major = 0, minor = 0] = /\d+\.\d+/.exec(engines.node)?.[0].split('.').map(Number) ?? [];
  const [ourMajor = 0, ourMinor = 0] = process.versions.node.split('.').map(Number);
  if (ourMajor > major || (ourMajor === major && ourMinor >= minor)) return;
  throw new Refusal(`Node ${process.versions.node} is too old; ${engines.node} is needed`);
}

/**
 * Whether node_modules holds what the lock file names. Times would not do: npm and git both touch them at will.
 *
 * @param {string} folder
 */
function isInstalled(folder) {
  const record = join(folder, 'node_modules', '.package-lock.json');
  if (!existsSync(record)) return false;
  /** @type {Record<string, LockedPackage>} */
  const installed = readJson(record).packages;
  /** @type {Record<string, LockedPackage>} */
  const { '': _, ...locked } = readJson(join(folder, 'package-lock.json')).packages;
  return Object.entries(locked).every(([path, { version, optional, devOptional }]) => {
    const found = installed[path];
    return found ? found.version === version : (optional ?? devOptional ?? false);
  });
}

/** @param {string[]} command */
async function must(command) {
  const code = await run(command);
  if (code !== 0) throw new Refusal(`${command.slice(0, 2).join(' ')} failed (${code})`);
}

/** @param {string} file */
function readJson(file) {
  return JSON.parse(readFileSync(file, 'utf8'));
}
