import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { Refusal } from './say.mjs';

const SIGNALS = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);
const LONGEST_END_MS = 10_000;

/**
 * Runs a command to its end, with our own terminal, and hands on the signals that we get.
 *
 * @param {string[]} command
 * @param {object} [options]
 * @param {NodeJS.ProcessEnv} [options.env]
 * @param {boolean} [options.ownGroup] put it into a process group of its own, so that whatever it leaves behind can be
 *   ended with it; it can then not ask anything on the terminal
 * @param {'all' | 'errors' | 'nothing'} [options.show] of what it prints
 * @returns {Promise<number>} its exit code, or 128 + the number of the signal that ended it
 */
export function run([program = '', ...args], { env = process.env, ownGroup = false, show = 'all' } = {}) {
  const stdout = show === 'all' ? 'inherit' : 'ignore';
  const stderr = show === 'nothing' ? 'ignore' : 'inherit';
  const child = spawn(program, args, { env, detached: ownGroup, stdio: ['inherit', stdout, stderr] });
  /** @param {NodeJS.Signals} signal */
  const send = (signal) => {
    if (child.pid !== undefined) killIfAlive(ownGroup ? -child.pid : child.pid, signal);
  };
  /** @type {NodeJS.Timeout | undefined} */
  let deadline;
  /** @type {NodeJS.Signals | undefined} */
  let received;
  /** @param {NodeJS.Signals} signal */
  const pass = (signal) => {
    received = signal;
    send(signal);
    deadline ??= setTimeout(() => send('SIGKILL'), LONGEST_END_MS);
  };
  for (const signal of SIGNALS) process.on(signal, pass);

  return new Promise((resolve, reject) => {
    const finish = () => {
      clearTimeout(deadline);
      for (const signal of SIGNALS) process.off(signal, pass);
      if (ownGroup) send('SIGKILL');
    };
    child.on('error', (error) => {
      finish();
      reject(new Refusal(`${program} cannot be run: ${error.message}`));
    });
    child.on('exit', (code, signal) => {
      finish();
      const fatal = received ?? signal;
      resolve(fatal ? 128 + constants.signals[fatal] : (code ?? 1));
    });
  });
}

/**
 * @param {number} pid
 * @param {NodeJS.Signals} signal
 */
function killIfAlive(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ESRCH') throw error;
  }
}
