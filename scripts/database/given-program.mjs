import { readFileSync, realpathSync } from 'node:fs';
import { basename } from 'node:path';
import { createConnection } from 'mysql2/promise';

/**
 * The program that the server of this URL was started from, if it runs on this machine and its process can be
 * seen: it may be one that no folder of programs has.
 *
 * @param {string} url
 * @returns {Promise<import('./local-server.mjs').Program & { isHere: boolean }>} isHere false: only the family is known
 */
export async function findGivenProgram(url) {
  const connection = await createConnection({ uri: url });
  const [rows] = await connection.query('SELECT @@version AS version, @@pid_file AS pidFile, @@datadir AS dataFolder');
  await connection.end();
  const [{ version = '', pidFile = '', dataFolder = '' } = {}] =
    /** @type {{ version: string, pidFile: string, dataFolder: string }[]} */ (rows);
  const known = { version, isMariaDB: /mariadb/i.test(version) };
  const command = readCommand(pidFile, dataFolder);
  return command === undefined ? { ...known, path: '', isHere: false } : { ...known, ...command, isHere: true };
}

/**
 * @param {string} pidFile
 * @param {string} dataFolder
 */
function readCommand(pidFile, dataFolder) {
  try {
    const pid = readFileSync(pidFile, 'utf8').trim();
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    const place = words.findIndex((word) => /^(mariadbd|mysqld)$/.test(basename(word)));
    // Another process may have this number in the namespace of a container.
    if (place < 0 || !words.some((word) => word.startsWith(`--datadir=${dataFolder.replace(/\/$/, '')}`))) {
      return undefined;
    }
    const path = place === 0 ? realpathSync(`/proc/${pid}/exe`) : (words[place] ?? '');
    return { path, launcher: words.slice(0, place) };
  } catch (error) {
    // It runs on another machine, or as another user; any other fault is one.
    if (['ENOENT', 'EACCES', 'EPERM'].includes(/** @type {NodeJS.ErrnoException} */ (error).code ?? ''))
      return undefined;
    throw error;
  }
}
