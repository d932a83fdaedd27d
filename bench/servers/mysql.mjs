import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createConnection } from 'mysql2/promise';
import { findFreePort, makeServerFolder, startPrivateServer } from '../../scripts/database/private-server.mjs';
import { PROJECT } from '../../scripts/project.mjs';
import { readDurability } from './innodb.mjs';

/** A program that starts a MySQL on a port: `start PORT`, `stop PORT`. Debian has none newer than 8.0. */
const STARTER = join(PROJECT, '..', 'shared', 'bin', 'real-mysql');

/** It may have to fetch the server first. */
const START_DEADLINE_MS = 300_000;

/**
 * The MySQL that ROWLOCK_BENCH_MYSQL_URL names, left running, else a private one where the starter is.
 *
 * @returns {Promise<import('./server.mjs').BenchServer | undefined>} undefined: the bench does without
 */
export async function startMySQL() {
  const given = process.env['ROWLOCK_BENCH_MYSQL_URL'];
  if (given) return { name: 'MySQL', url: given, stop: () => Promise.resolve(), ...(await readDurability(given)) };
  if (!existsSync(STARTER)) return undefined;
  const port = String(await findFreePort());
  const folder = makeServerFolder();
  const server = await startPrivateServer(
    {
      folder,
      steps: [
        [STARTER, 'start', port],
        ['sleep', 'infinity'],
      ],
      cleanup: [STARTER, 'stop', port],
    },
    {
      name: STARTER,
      url: `mysql://root@127.0.0.1:${port}/mysql`,
      deadlineMs: START_DEADLINE_MS,
      env: { ...process.env, TMPDIR: folder },
    },
  );
  if (server === undefined) return undefined;
  await giveMemory(server.url);
  return { name: 'MySQL', ...server, ...(await readDurability(server.url)) };
}

/** @param {string} url */
async function giveMemory(url) {
  const connection = await createConnection({ uri: url });
  await connection.query('SET GLOBAL innodb_buffer_pool_size = 1073741824');
  await connection.end();
}
