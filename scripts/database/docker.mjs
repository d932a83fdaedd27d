import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { say } from '../say.mjs';
import { findFreePort, makeServerFolder, startPrivateServer } from './private-server.mjs';

const IMAGE = 'mariadb:10.11';
const LONGEST_ANSWER_MS = 10_000;
/** The image may have to be fetched first. */
const START_DEADLINE_MS = 240_000;

/**
 * Starts a server in Docker, where a daemon answers.
 *
 * @returns {Promise<import('./find-server.mjs').Server | undefined>}
 */
export async function startInDocker() {
  const answer = spawnSync('docker', ['version', '--format', '{{.Server.Version}}'], {
    stdio: 'ignore',
    timeout: LONGEST_ANSWER_MS,
  });
  if (answer.status !== 0) return undefined;
  say(`starting a private ${IMAGE} in Docker`);
  const name = `rowlock-${process.pid}-${randomBytes(4).toString('hex')}`;
  const port = await findFreePort();
  const password = randomBytes(12).toString('hex');
  const serve = ['docker', 'run', '--rm', '--name', name, '--publish', `127.0.0.1:${port}:3306`];
  // Named only: the value would be seen in the list of processes.
  const variables = ['--env', 'MARIADB_ROOT_PASSWORD', '--env', 'MARIADB_DATABASE'];
  return startPrivateServer(
    {
      folder: makeServerFolder(),
      steps: [[...serve, ...variables, IMAGE, '--max-connections=500']],
      cleanup: ['docker', 'rm', '--force', '--volumes', name],
    },
    {
      name: IMAGE,
      url: `mysql://root:${password}@127.0.0.1:${port}/rowlock`,
      deadlineMs: START_DEADLINE_MS,
      env: { ...process.env, MARIADB_ROOT_PASSWORD: password, MARIADB_DATABASE: 'rowlock' },
    },
  );
}
