import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { accessSync, constants, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { say } from '../say.mjs';
import { findFreePort, makeServerFolder, startPrivateServer } from './private-server.mjs';

/** Where servers are that no shell finds: Debian and Fedora keep them out of a user's PATH. */
const FOLDERS = [
  ...(process.env['PATH'] ?? '').split(':'),
  '/usr/sbin',
  '/usr/local/sbin',
  '/usr/libexec',
  '/usr/local/bin',
  '/usr/local/mysql/bin',
  '/opt/homebrew/bin',
];

const START_DEADLINE_MS = 60_000;

/**
 * A server program that is new enough. `launcher` stands before its path, where it does not start by itself.
 * @typedef {{ path: string, isMariaDB: boolean, version: string, launcher?: string[] }} Program
 */

/**
 * Starts a server program of this machine with a data folder and a port of its own. No configuration
 * file is read and no socket or data of another server is touched.
 *
 * @returns {Promise<import('./find-server.mjs').Server | undefined>} undefined if there is none, or none that starts
 */
export async function startLocalServer() {
  for (const program of findPrograms()) {
    say(`starting a private ${program.isMariaDB ? 'MariaDB' : 'MySQL'} ${program.version} (${program.path})`);
    const server = await startProgram(program);
    if (server) return server;
  }
  return undefined;
}

/** @returns {Program[]} */
export function findPrograms() {
  const paths = FOLDERS.flatMap((folder) => ['mariadbd', 'mysqld'].map((name) => join(folder, name)));
  const real = new Set(paths.filter(isExecutable).map((path) => realpathSync(path)));
  return [...real].flatMap((path) => inspectProgram(path) ?? []);
}

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    // Not there, or not for us: one of many places where a server might have been.
    return false;
  }
}

/**
 * @param {string} path
 * @returns {Program | undefined}
 */
function inspectProgram(path) {
  const words = execFileSync(path, ['--no-defaults', '--version'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [, version = '0', major = 0, minor = 0] = /Ver ((\d+)\.(\d+)\.\d+)/.exec(words) ?? [];
  const isMariaDB = words.includes('MariaDB');
  const isNewEnough = Number(major) * 100 + Number(minor) >= (isMariaDB ? 1006 : 800);
  if (isNewEnough) return { path, isMariaDB, version };
  say(`${path} is ${version}: too old (MariaDB 10.6 or MySQL 8.0 at least)`);
  return undefined;
}

/**
 * Starts the program with a data folder and a port of its own.
 *
 * @param {Program} program
 * @param {string[]} [options] for the server, after its own
 */
export async function startProgram(program, options = []) {
  const folder = makeServerFolder();
  const init = join(folder, 'init.sql');
  const password = randomBytes(12).toString('hex');
  writeFileSync(init, initialStatements(password), { mode: 0o600 });
  const port = await findFreePort();
  const { initialise, serve } = planServer(program, { folder, port, options: [`--init-file=${init}`, ...options] });
  return startPrivateServer(
    { folder, steps: [initialise, serve] },
    { name: program.path, url: `mysql://rowlock:${password}@127.0.0.1:${port}/rowlock`, deadlineMs: START_DEADLINE_MS },
  );
}

/**
 * The commands that make the data of a server, once, and that run it: in that folder, on that port.
 *
 * @param {Program} program
 * @param {{ folder: string, port: number, options?: string[] }} place options: for the server, after its own
 */
export function planServer(program, { folder, port, options = [] }) {
  // mysqld refuses to be root unless it is told so.
  const user = process.getuid?.() === 0 ? ['--user=root'] : [];
  const serve = [
    ...(program.launcher ?? []),
    program.path,
    '--no-defaults',
    `--datadir=${join(folder, 'data')}`,
    `--port=${port}`,
    '--bind-address=127.0.0.1',
    // Relative to the data folder: the whole path of a socket must fit into some 100 bytes.
    '--socket=server.sock',
    // The default is a folder of the system's own server, and MySQL does not start without it.
    `--secure-file-priv=${folder}`,
    '--skip-name-resolve',
    '--max-connections=500',
    '--loose-mysqlx=OFF',
    ...user,
    ...options,
  ];
  return { initialise: initialiseCommand(program, user), serve };
}

/**
 * Runs in the server's folder and names the data relative to it: MariaDB's is a shell script that trips
 * over a space in a path.
 *
 * @param {Program} program
 * @param {string[]} user
 */
function initialiseCommand({ path, isMariaDB, launcher = [] }, user) {
  const options = ['--no-defaults', '--datadir=./data', ...user];
  if (!isMariaDB) return [...launcher, path, ...options, '--initialize-insecure'];
  const places = [dirname(path), join(dirname(path), '..', 'bin'), join(dirname(path), '..', 'scripts'), ...FOLDERS];
  const installers = places.flatMap((folder) =>
    ['mariadb-install-db', 'mysql_install_db'].map((name) => join(folder, name)),
  );
  const installer = installers.find(isExecutable) ?? 'mariadb-install-db';
  return [installer, ...options, '--skip-test-db'];
}

/**
 * The only account that can come in by TCP, since names are not resolved and localhost is a name.
 *
 * @param {string} password
 */
export function initialStatements(password) {
  return [
    'CREATE DATABASE rowlock;',
    `CREATE USER 'rowlock'@'127.0.0.1' IDENTIFIED BY '${password}';`,
    "GRANT ALL PRIVILEGES ON *.* TO 'rowlock'@'127.0.0.1' WITH GRANT OPTION;",
    '',
  ].join('\n');
}
