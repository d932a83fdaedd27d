import { run } from '../run.mjs';
import { findServer } from './find-server.mjs';

/**
 * Finds a database server, runs the command with its URL, and ends the server if it was started for this.
 *
 * @param {string[]} command
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<number>} the command's exit code
 */
export async function withDatabase(command, env = process.env) {
  const server = await findServer();
  try {
    // DATABASE_URL may be somebody's production: a test must not even see it.
    const { DATABASE_URL: _, ...rest } = env;
    return await run(command, { env: { ...rest, ROWLOCK_TEST_DATABASE_URL: server.url }, ownGroup: true });
  } finally {
    await server.stop();
  }
}
