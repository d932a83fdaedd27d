import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { findPrograms } from '../../../scripts/database/local-server.mjs';
import { findFreePort } from '../../../scripts/database/private-server.mjs';
import { installPackages } from '../../../scripts/packages.mjs';
import { PROJECT } from '../../../scripts/project.mjs';
import { Refusal } from '../../../scripts/say.mjs';

/** The families of servers that scenes are played on. */
export const FAMILIES = /** @type {const} */ (['mariadb', 'mysql']);

/** @typedef {(typeof FAMILIES)[number]} Family */

/** A program that unpacks and starts a MySQL on a port: Debian has none newer than 8.0. */
const STARTER = join(PROJECT, '..', 'shared', 'bin', 'real-mysql');

/**
 * The server programs of this machine, by family. MariaDB is installed where it is missing; MySQL is done without.
 *
 * @returns {Promise<Map<Family, import('../../../scripts/database/local-server.mjs').Program>>}
 */
export async function findServerPrograms() {
  const mariadb = findMariaDB() ?? (await installMariaDB());
  const mysql = findPrograms().find(({ isMariaDB }) => !isMariaDB) ?? (await findUnpacked());
  return new Map([['mariadb', mariadb], ...(mysql === undefined ? [] : /** @type {const} */ ([['mysql', mysql]]))]);
}

const findMariaDB = () => findPrograms().find(({ isMariaDB }) => isMariaDB);

async function installMariaDB() {
  await installPackages('MariaDB server', { 'apt-get': [['mariadb-server-core', 'mariadb-client-core']] });
  const program = findMariaDB();
  if (program === undefined) {
    throw new Refusal('found no MariaDB; install it (Debian, Ubuntu: apt-get install mariadb-server-core)');
  }
  return program;
}

async function findUnpacked() {
  const root = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'real-mysql', 'root');
  const path = join(root, 'usr', 'sbin', 'mysqld');
  if (!existsSync(path)) {
    if (!existsSync(STARTER)) return undefined;
    const port = String(await findFreePort());
    for (const action of ['start', 'stop'])
      execFileSync(STARTER, [action, port], { stdio: ['ignore', 'ignore', 'inherit'] });
  }
  // With the libraries that it came with, and with their loader.
  const [folder] = readdirSync(join(root, 'usr', 'lib')).filter((name) => name.endsWith('-linux-gnu'));
  const libraries = join(root, 'usr', 'lib', folder ?? '');
  const loader = readdirSync(libraries).find((name) => /^ld-linux-.*\.so\./.test(name)) ?? '';
  const launcher = [join(libraries, loader), '--library-path', `${libraries}:${join(libraries, 'mysql', 'private')}`];
  const words = execFileSync(launcher[0] ?? '', [...launcher.slice(1), path, '--no-defaults', '--version'], {
    encoding: 'utf8',
  });
  return { path, launcher, isMariaDB: false, version: /Ver (\S+)/.exec(words)?.[1] ?? '' };
}
