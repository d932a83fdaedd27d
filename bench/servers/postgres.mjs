import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFreePort, makeServerFolder, startPrivateServer } from '../../scripts/database/private-server.mjs';
import { installPackages } from '../../scripts/packages.mjs';
import { Refusal } from '../../scripts/say.mjs';
import { answersTo } from './answers.mjs';
import { findOnPath } from './find-on-path.mjs';
import { requireDisk, requireSettings } from './server.mjs';

const START_DEADLINE_MS = 60_000;
const WHAT_TO_INSTALL =
  'found no PostgreSQL server; install it (Debian, Ubuntu: apt-get install postgresql, and stop the server that it starts)';

/** @returns {Promise<import('./server.mjs').BenchServer>} */
export async function startPostgres() {
  const initdb = find('initdb') ?? (await install());
  const postgres = find('postgres') ?? initdb;
  const user = findUser();
  const folder = makeFolder(user);
  requireDisk(folder);
  const password = randomBytes(12).toString('hex');
  const passwordFile = join(folder, 'password');
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
  if (user !== undefined) chownSync(passwordFile, user.uid, user.gid);

  const port = await findFreePort();
  const data = join(folder, 'data');
  const as = commandFor(user);
  const options = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    shared_buffers: '1GB',
    max_connections: 200,
  };
  const server = await startPrivateServer(
    {
      folder,
      steps: [
        [
          ...as,
          initdb,
          '-D',
          data,
          '-U',
          'rowlock',
          '--auth=scram-sha-256',
          `--pwfile=${passwordFile}`,
          '-E',
          'UTF8',
          '--locale=C.UTF-8',
        ],
        [
          ...as,
          postgres,
          '-D',
          data,
          ...Object.entries(options).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
        ],
      ],
    },
    {
      name: postgres,
      url: `postgres://rowlock:${password}@127.0.0.1:${port}/postgres`,
      deadlineMs: START_DEADLINE_MS,
      answers: answersTo(startupMessage(), (answer) => answer[0] === 'R'.charCodeAt(0)),
    },
  );
  if (server === undefined) throw new Refusal(`${postgres} does not start`);
  const { version, settings } = await readSettings(server.url);
  requireSettings('PostgreSQL', settings, { fsync: 'on', synchronous_commit: 'on', full_page_writes: 'on' });
  return { name: 'PostgreSQL', ...server, version, settings };
}

/** A newer release first. Debian keeps the server's programs out of everybody's PATH. */
function findFolders() {
  try {
    const releases = readdirSync('/usr/lib/postgresql').sort((a, b) => Number(b) - Number(a));
    return releases.map((release) => join('/usr/lib/postgresql', release, 'bin'));
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT') return [];
    throw error;
  }
}

/** @param {string} program */
const find = (program) => findOnPath(program, findFolders());

async function install() {
  await installPackages('PostgreSQL server', { 'apt-get': [['postgresql']] });
  const program = find('initdb');
  if (program === undefined) throw new Refusal(WHAT_TO_INSTALL);
  return program;
}

/** PostgreSQL does not run as root: then as the user that Debian's package has made for it. */
function findUser() {
  if (process.getuid?.() !== 0) return undefined;
  try {
    /** @param {string} option */
    const id = (option) =>
      Number(execFileSync('id', [option, 'postgres'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
    return { uid: id('-u'), gid: id('-g') };
  } catch {
    throw new Refusal('PostgreSQL does not run as root, and there is no user postgres; run this as another user');
  }
}

/** @typedef {{ uid: number, gid: number }} User */

/**
 * What stands before a command that is to run as another user.
 *
 * @param {User | undefined} user
 */
const commandFor = (user) =>
  user === undefined ? [] : ['setpriv', `--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups'];

/**
 * In the project's folder, on the disk of the other servers, if the user gets there.
 *
 * @param {User | undefined} user
 */
function makeFolder(user) {
  const folder = makeServerFolder();
  if (user === undefined) return folder;
  chownSync(folder, user.uid, user.gid);
  const [program = '', ...args] = [...commandFor(user), 'test', '-w', folder];
  if (spawnSync(program, args).status === 0) return folder;
  rmSync(folder, { recursive: true });
  const other = mkdtempSync(join(tmpdir(), 'rowlock-bench-postgres-'));
  chownSync(other, user.uid, user.gid);
  return other;
}

/** Protocol 3.0: length, version, and who wants to come in. A server that is up asks for the password. */
function startupMessage() {
  const words = Buffer.from('user\0rowlock\0database\0postgres\0\0');
  const head = Buffer.alloc(8);
  head.writeInt32BE(words.length + 8, 0);
  head.writeInt32BE(196_608, 4);
  return Buffer.concat([head, words]);
}

const SHOWN = [
  'fsync',
  'synchronous_commit',
  'full_page_writes',
  'wal_sync_method',
  'shared_buffers',
  'max_wal_size',
  'autovacuum',
];

/** @param {string} url */
async function readSettings(url) {
  const { default: pg } = await import('pg');
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    /** @type {Record<string, string>} */
    const settings = {};
    for (const name of SHOWN) {
      const { rows } = await client.query('SELECT current_setting($1) AS value', [name]);
      settings[name] = String(rows[0].value);
    }
    const { rows } = await client.query("SELECT current_setting('server_version') AS version");
    return { version: String(rows[0].version), settings };
  } finally {
    await client.end();
  }
}
