import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { PROJECT } from '../project.mjs';
import { say } from '../say.mjs';
import { greets } from './greeting.mjs';

const GUARD = join(PROJECT, 'scripts', 'database', 'guard.mjs');

/**
 * What the guard is to run, in that folder. The last step is the server itself; `cleanup` runs when all is over.
 * @typedef {{ folder: string, steps: string[][], cleanup?: string[] }} Plan
 */

/** A new folder of the project for one server: deleted with it. */
export function makeServerFolder() {
  const folder = join(PROJECT, '.tmp', `database-${process.pid}-${Date.now()}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}

/**
 * A port that nothing listens on, below those that the kernel hands out by itself: it must still be free
 * a second later, when the server wants it.
 */
export async function findFreePort() {
  for (;;) {
    const port = randomInt(20_000, 32_000);
    if (await isFree(port)) return port;
  }
}

/** @param {number} port */
async function isFree(port) {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'EADDRINUSE') return false;
    throw error;
  }
  server.close();
  await once(server, 'close');
  return true;
}

/**
 * Starts a server under a guard, which ends it and deletes its folder when we stop it, or when we die.
 *
 * @param {Plan} plan
 * @param {object} options
 * @param {string} options.name
 * @param {string} options.url
 * @param {number} options.deadlineMs
 * @param {typeof greets} [options.answers] how to tell that it answers; the default is for MySQL and MariaDB
 * @param {NodeJS.ProcessEnv} [options.env]
 * @returns {Promise<import('./find-server.mjs').Server | undefined>} undefined if it does not come up; the reason is said
 */
export async function startPrivateServer(plan, { name, url, deadlineMs, answers = greets, env = process.env }) {
  const logFile = join(plan.folder, 'log');
  const log = openSync(logFile, 'a');
  // In a session of its own: a ctrl-C is for us, and we end the server after whatever still uses it.
  const guard = spawn(process.execPath, [GUARD, JSON.stringify(plan)], {
    env,
    detached: true,
    stdio: ['pipe', log, log],
  });
  const ended = once(guard, 'exit');
  const stop = async () => {
    guard.stdin?.end();
    await ended;
    rmSync(plan.folder, { recursive: true, force: true });
  };
  const port = Number(new URL(url).port);
  if (await answers(port, deadlineMs, () => guard.exitCode === null)) return { url, stop };
  say(`${name} does not start:\n${lastLines(logFile)}`);
  await stop();
  return undefined;
}

/** @param {string} file */
function lastLines(file) {
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-12).join('\n');
}
