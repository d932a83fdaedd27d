import { findPrograms, startProgram } from '../../scripts/database/local-server.mjs';
import { installPackages } from '../../scripts/packages.mjs';
import { Refusal } from '../../scripts/say.mjs';
import { readDurability } from './innodb.mjs';

/** Its defaults but for the size of the buffer pool, which the other servers are given as well. */
const OPTIONS = ['--innodb-buffer-pool-size=1G', '--character-set-server=utf8mb4'];

/** @returns {Promise<import('./server.mjs').BenchServer>} */
export async function startMariaDB() {
  const program = find() ?? (await install());
  const server = await startProgram(program, OPTIONS);
  if (server === undefined) throw new Refusal(`${program.path} does not start`);
  return { name: 'MariaDB', ...server, ...(await readDurability(server.url)) };
}

const find = () => findPrograms().find(({ isMariaDB }) => isMariaDB);

async function install() {
  await installPackages('MariaDB server', { 'apt-get': [['mariadb-server-core', 'mariadb-client-core']] });
  const program = find();
  if (program === undefined) {
    throw new Refusal('found no MariaDB; install it (Debian, Ubuntu: apt-get install mariadb-server-core)');
  }
  return program;
}
