import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { findFreePort, makeServerFolder, startPrivateServer } from '../../scripts/database/private-server.mjs';
import { installPackages } from '../../scripts/packages.mjs';
import { Refusal } from '../../scripts/say.mjs';
import { answersTo } from './answers.mjs';
import { findOnPath } from './find-on-path.mjs';
import { requireDisk, requireSettings } from './server.mjs';

const START_DEADLINE_MS = 20_000;
const WHAT_TO_INSTALL = 'found no Redis; install it (Debian, Ubuntu: apt-get install redis-server)';

/**
 * As BullMQ's "Going to production" wants it: an append-only file, and no key evicted. `always` writes each command
 * to the disk before it answers, as the other servers do with each commit; `everysec` may lose a second's.
 *
 * @param {'everysec' | 'always'} appendfsync
 * @returns {Promise<import('./server.mjs').BenchServer>}
 */
export async function startRedis(appendfsync) {
  const program = findOnPath('redis-server') ?? (await install());
  const folder = makeServerFolder();
  requireDisk(folder);
  const port = await findFreePort();
  const password = randomBytes(12).toString('hex');
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `requirepass ${password}`,
    `dir ${JSON.stringify(folder)}`,
    'appendonly yes',
    `appendfsync ${appendfsync}`,
    // No snapshots beside it: they would double the writing, and keep nothing that the file does not.
    'save ""',
    'maxmemory-policy noeviction',
    'daemonize no',
  ];
  const file = join(folder, 'redis.conf');
  writeFileSync(file, `${lines.join('\n')}\n`, { mode: 0o600 });
  const url = `redis://:${password}@127.0.0.1:${port}/0`;
  const server = await startPrivateServer(
    { folder, steps: [[program, file]] },
    {
      name: program,
      url,
      deadlineMs: START_DEADLINE_MS,
      answers: answersTo('PING\r\n', (answer) => /^(\+PONG|-NOAUTH)/.test(String(answer))),
    },
  );
  if (server === undefined) throw new Refusal(`${program} does not start`);
  const { version, settings } = await readSettings(port, password);
  requireSettings('Redis', settings, { appendonly: 'yes', appendfsync, 'maxmemory-policy': 'noeviction' });
  return { name: `Redis, ${appendfsync}`, ...server, version, settings };
}

async function install() {
  await installPackages('Redis server', { 'apt-get': [['redis-server']] });
  const program = findOnPath('redis-server');
  if (program === undefined) throw new Refusal(WHAT_TO_INSTALL);
  return program;
}

const SHOWN = ['appendonly', 'appendfsync', 'maxmemory-policy', 'save'];

/**
 * Asked in Redis's own plain words, since its clients are the bench's, and are loaded by other programs.
 *
 * @param {number} port
 * @param {string} password
 */
async function readSettings(port, password) {
  const socket = createConnection({ port, host: '127.0.0.1' });
  const commands = [`AUTH ${password}`, 'INFO server', ...SHOWN.map((name) => `CONFIG GET ${name}`), 'QUIT'];
  socket.write(commands.map((command) => `${command}\r\n`).join(''));
  let answer = '';
  socket.setEncoding('utf8').on('data', (text) => {
    answer += text;
  });
  await once(socket, 'end');
  const words = answer.split('\r\n');
  const settings = Object.fromEntries(
    SHOWN.map((name) => {
      const place = words.indexOf(name);
      return [name, place < 0 ? '?' : (words[place + 2] ?? '')];
    }),
  );
  return { version: /redis_version:(\S+)/.exec(answer)?.[1] ?? '?', settings };
}
