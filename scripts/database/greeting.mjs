import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

const POLL_MS = 100;
const PROTOCOL_VERSION = 10;
const HEADER_BYTES = 4;

/**
 * Waits until a server on this machine greets a new client. A port that only accepts is not enough:
 * Docker's does so long before the server behind it.
 *
 * @param {number} port
 * @param {number} deadlineMs
 * @param {() => boolean} isAlive asked in between; false ends the wait
 */
export async function greets(port, deadlineMs, isAlive) {
  const end = Date.now() + deadlineMs;
  while (Date.now() < end && isAlive()) {
    if (await greetsNow(port)) return true;
    await pause(POLL_MS);
  }
  return false;
}

/**
 * @param {number} port
 * @returns {Promise<boolean>}
 */
function greetsNow(port) {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', timeout: 2_000 });
    /** @param {boolean} answer */
    const finish = (answer) => {
      socket.destroy();
      resolve(answer);
    };
    socket.on('data', (bytes) => finish(bytes[HEADER_BYTES] === PROTOCOL_VERSION));
    for (const event of ['error', 'timeout', 'close']) socket.on(event, () => finish(false));
  });
}
