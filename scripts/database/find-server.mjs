import { installPackages } from '../packages.mjs';
import { Refusal, say } from '../say.mjs';
import { startInDocker } from './docker.mjs';
import { checkGivenServer } from './given-server.mjs';
import { startLocalServer } from './local-server.mjs';

/**
 * A server that answers. `stop` ends it and deletes its data, if it was started here.
 * @typedef {{ url: string, stop(): Promise<void> }} Server
 */

/** None of these starts a server when it is installed. */
const SERVER_PACKAGES = {
  'apt-get': [
    ['mariadb-server-core', 'mariadb-client-core'],
    ['mariadb-server-core-10.6', 'mariadb-client-core-10.6'],
    ['mysql-server-core-8.0', 'mysql-client-core-8.0'],
  ],
  dnf: [['mariadb-server', 'mariadb']],
  apk: [['mariadb', 'mariadb-client']],
  brew: [['mariadb']],
};

const WHAT_TO_INSTALL =
  'found no MySQL or MariaDB server to test with; install one (Debian, Ubuntu: apt-get install mariadb-server-core ' +
  'mariadb-client-core; Fedora: dnf install mariadb-server mariadb; Alpine: apk add mariadb mariadb-client; ' +
  'macOS: brew install mariadb), or start Docker, or set ROWLOCK_TEST_DATABASE_URL to an empty schema';

/**
 * The server for tests and demo: the one that the user named, else a private one of a program on this
 * machine, else one in Docker, else one that is installed now.
 *
 * @returns {Promise<Server>}
 */
export async function findServer() {
  const given = process.env['ROWLOCK_TEST_DATABASE_URL'];
  if (given) return checkGivenServer(given);
  const server = (await startLocalServer()) ?? (await startInDocker());
  if (server) return server;
  if (await installPackages('database server', SERVER_PACKAGES)) {
    const installed = await startLocalServer();
    if (installed) return installed;
    say('the server that was installed does not start');
  }
  throw new Refusal(WHAT_TO_INSTALL);
}
