import { spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline/promises';
import { run } from './run.mjs';
import { Refusal, say } from './say.mjs';

/**
 * What to install, by package manager: lists of packages, each list enough by itself, the best first.
 * @typedef {Partial<Record<keyof typeof MANAGERS, string[][]>>} Wanted
 */

/**
 * How a package manager installs, and how it takes newer lists first.
 * @typedef {{ install: string[], refresh?: string[], asRoot: boolean }} Manager
 */

const MANAGERS = {
  'apt-get': {
    install: ['install', '-y', '-qq', '--no-install-recommends'],
    refresh: ['update', '-qq'],
    asRoot: true,
  },
  dnf: { install: ['install', '-y', '-q'], asRoot: true },
  apk: { install: ['add', '--no-cache', '-q'], asRoot: true },
  brew: { install: ['install', '--quiet'], asRoot: false },
};

/**
 * Installs packages with the package manager of this machine, after a yes where there is somebody to ask.
 *
 * @param {string} what they are for
 * @param {Wanted} wanted
 * @returns {Promise<boolean>} whether they were installed
 */
export async function installPackages(what, wanted) {
  for (const [name, choices] of Object.entries(wanted)) {
    /** @type {Manager} */
    const manager = MANAGERS[/** @type {keyof typeof MANAGERS} */ (name)];
    const rights = isThere(name) ? commandForRights(manager) : undefined;
    if (!rights) continue;
    say(`found no ${what}; installing ${choices[0]?.join(' and ')} with ${name}`);
    await askUser();
    const command = [...rights, name];
    // A fresh machine has no lists yet, or old ones: then the best choice is not found at once.
    if (manager.refresh) {
      if (await install(manager, command, choices.slice(0, 1), 'nothing')) return true;
      await runQuietly([...command, ...manager.refresh], 'errors');
    }
    return install(manager, command, choices, 'errors');
  }
  return false;
}

/** @param {string} program */
function isThere(program) {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined;
}

/**
 * What must stand before a command for the rights that it needs, or undefined if we cannot get them.
 *
 * @param {Manager} manager
 */
function commandForRights({ asRoot }) {
  if (!asRoot || process.getuid?.() === 0) return [];
  if (!isThere('sudo')) return undefined;
  return process.stdin.isTTY ? ['sudo'] : ['sudo', '-n'];
}

async function askUser() {
  if (!process.stdin.isTTY || process.env['CI'] === 'true') return;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question('rowlock: go on? [y/N] ');
  terminal.close();
  if (!/^y(es)?$/i.test(answer.trim())) throw new Refusal('nothing was installed');
}

/**
 * Takes the first choice that there is.
 *
 * @param {Manager} manager
 * @param {string[]} command
 * @param {string[][]} choices
 * @param {'errors' | 'nothing'} show
 */
async function install(manager, command, choices, show) {
  for (const packages of choices) {
    if ((await runQuietly([...command, ...manager.install, ...packages], show)) === 0) return true;
  }
  return false;
}

/**
 * @param {string[]} command
 * @param {'errors' | 'nothing'} show
 */
function runQuietly(command, show) {
  return run(command, { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }, show });
}
