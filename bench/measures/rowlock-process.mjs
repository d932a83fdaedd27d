import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { PROJECT } from '../../scripts/project.mjs';
import { findNode } from '../node.mjs';

export const BENCH = join(PROJECT, 'bench');
export const CLI = join(PROJECT, 'dist', 'cli.js');
const JOBS = join(BENCH, 'jobs.mjs');

/** The most of what a command printed that its error repeats. */
const SHOWN_CHARACTERS = 500;

/**
 * @typedef {object} RowlockOptions
 * @property {boolean} [mayPrint] false: whatever it prints is a fault, as it would make cron send a mail
 */

/**
 * A command that is running.
 * @typedef {object} RowlockProcess
 * @property {number} pid
 * @property {(signal: NodeJS.Signals) => void} signal
 * @property {Promise<number>} ended with the milliseconds from its start to its end; refused if it went wrong
 */

/**
 * What a run is called with.
 *
 * @param {string[]} [options]
 * @param {string} [jobs] its job module
 */
export const runArguments = (options = [], jobs = JOBS) => ['run', '--jobs', jobs, ...options];

/**
 * The environment of every command: nothing of the developer's own, no terminal's settings.
 *
 * @param {string} databaseUrl
 */
export function environmentOf(databaseUrl) {
  const { PATH = '', HOME = '' } = process.env;
  return { PATH, HOME, DATABASE_URL: databaseUrl };
}

/**
 * Starts `rowlock …` as cron would, and does not wait.
 *
 * @param {string[]} args
 * @param {string} databaseUrl
 * @param {RowlockOptions} [options]
 * @returns {RowlockProcess}
 */
export function startRowlock(args, databaseUrl, { mayPrint = false } = {}) {
  const started = performance.now();
  const child = spawn(findNode(), [CLI, ...args], {
    cwd: BENCH,
    env: environmentOf(databaseUrl),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      printed += text;
    });
  }
  const watchdog = startWatchdog(child.pid ?? 0);
  /** @type {Promise<number>} */
  const ended = new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      watchdog.kill('SIGKILL');
      const ms = performance.now() - started;
      if (code === 0 && (mayPrint || printed === '')) return resolve(ms);
      const said = printed.trim().slice(0, SHOWN_CHARACTERS);
      reject(new Error(`rowlock ${args.join(' ')} ended with ${code ?? signal}: ${said}`));
    });
  });
  // Whoever started several waits for one after the other.
  ended.catch(() => undefined);
  return { pid: child.pid ?? 0, signal: (signal) => child.kill(signal), ended };
}

/**
 * Runs `rowlock …` to its end.
 *
 * @param {string[]} args
 * @param {string} databaseUrl
 * @param {RowlockOptions} [options]
 * @returns {Promise<number>} its milliseconds
 */
export const runRowlock = (args, databaseUrl, options) => startRowlock(args, databaseUrl, options).ended;

/**
 * Ends a run when the bench ends, also when that is killed: a run would wait for a server that is away.
 *
 * @param {number} pid
 */
function startWatchdog(pid) {
  const script = 'cat >/dev/null; kill -9 "$1" 2>/dev/null';
  return spawn('sh', ['-c', script, 'watchdog', String(pid)], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
}
