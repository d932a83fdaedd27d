import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

const POLL_MS = 50;

/**
 * How to tell that a server is up: what to send it, and whether that is its answer.
 *
 * @param {Buffer | string} question
 * @param {(answer: Buffer) => boolean} isUp
 * @returns {typeof import('../../scripts/database/greeting.mjs').greets}
 */
export function answersTo(question, isUp) {
  return async (port, deadlineMs, isAlive) => {
    const end = Date.now() + deadlineMs;
    while (Date.now() < end && isAlive()) {
      if (await ask(port, question, isUp)) return true;
      await pause(POLL_MS);
    }
    return false;
  };
}

/**
 * @param {number} port
 * @param {Buffer | string} question
 * @param {(answer: Buffer) => boolean} isUp
 * @returns {Promise<boolean>}
 */
function ask(port, question, isUp) {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', timeout: 2_000 }, () => socket.write(question));
    /** @param {boolean} answer */
    const finish = (answer) => {
      socket.destroy();
      resolve(answer);
    };
    socket.on('data', (bytes) => finish(isUp(Buffer.from(bytes))));
    for (const event of ['error', 'timeout', 'close']) socket.on(event, () => finish(false));
  });
}
