import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { BENCH } from './rowlock-process.mjs';

/** bash's own `time` reads getrusage of the child that has ended: all threads, to the millisecond. /proc counts in tens of them. */
const SCRIPT = 'TIMEFORMAT="%3R %3U %3S"; { time "$@" 2>&4; } 4>&2 2>&3';

/**
 * Runs a command to its end.
 *
 * @param {string[]} command
 * @param {Record<string, string>} env all that it finds in its environment
 * @returns {Promise<{ wallMs: number, cpuMs: number }>} CPU of user and system
 */
export async function timeCommand(command, env) {
  const child = spawn('bash', ['-c', SCRIPT, 'time', ...command], {
    cwd: BENCH,
    env,
    stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
  });
  let times = '';
  child.stdio[3]?.on('data', (text) => {
    times += text;
  });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}`);
  const [wall = 0, user = 0, system = 0] = times.trim().split(' ').map(Number);
  return { wallMs: wall * 1000, cpuMs: (user + system) * 1000 };
}
