import { spawn } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT } from '../../../scripts/project.mjs';

const GUARD = join(PROJECT, 'tests', 'faults', 'stage', 'guard.mjs');

/**
 * A process that was started for a scene, the first one of a group of its own.
 * @typedef {object} Started
 * @property {number} pid
 * @property {() => boolean} isAlive
 * @property {(signal: NodeJS.Signals) => boolean} signal false: it has ended already
 * @property {() => void} killGroup it and all that it started and that kept to its group
 * @property {Promise<{ code: number | null, signal: NodeJS.Signals | null }>} ended
 */

/** Starts processes, and sees that none outlives the harness. */
export class Processes {
  #guard = spawn(process.execPath, [GUARD], { detached: true, stdio: ['pipe', 'ignore', 'inherit'] });
  /** @type {Set<Started>} */
  #alive = new Set();
  #closed = false;

  constructor() {
    this.#guard.stdin.on('error', () => undefined);
    this.#guard.unref();
  }

  /**
   * @param {string[]} command
   * @param {{ log: string, cwd: string, env: NodeJS.ProcessEnv }} options log: a file that gets what it prints
   * @returns {Started}
   */
  start([program = '', ...args], { log, cwd, env }) {
    if (this.#closed) throw new Error(`${program} is started after the end of its scene`);
    const file = openSync(log, 'a', 0o600);
    const child = spawn(program, args, { cwd, env, detached: true, stdio: ['ignore', file, file] });
    closeSync(file);
    const pid = child.pid ?? 0;
    if (pid > 0) this.#guard.stdin.write(`+${pid}\n`);
    /** @type {Started} */
    const started = {
      pid,
      isAlive: () => this.#alive.has(started),
      signal: (signal) => this.#alive.has(started) && sendSignal(pid, signal),
      killGroup: () => void sendSignal(-pid, 'SIGKILL'),
      ended: new Promise((resolve, reject) => {
        child.on('error', (error) => {
          this.#alive.delete(started);
          reject(error);
        });
        child.on('exit', (code, signal) => {
          this.#alive.delete(started);
          this.#guard.stdin.write(`-${pid}\n`);
          resolve({ code, signal });
        });
      }),
    };
    this.#alive.add(started);
    return started;
  }

  /** Ends all that still runs. */
  async close() {
    this.#closed = true;
    const left = [...this.#alive];
    for (const { killGroup } of left) killGroup();
    await Promise.all(left.map(({ ended }) => ended));
    this.#guard.stdin.end();
  }
}

/**
 * @param {number} pid
 * @param {NodeJS.Signals} signal
 * @returns {boolean} false: there is no such process
 */
export function sendSignal(pid, signal) {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ESRCH') throw error;
    return false;
  }
}

/**
 * The processes that this one has started and that still run: those of suspects, and programs.
 *
 * @param {number} parent
 * @returns {number[]}
 */
export const findChildren = (parent) =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      const stat = readStat(pid);
      return stat?.parent === parent && stat.state !== ENDED;
    });

/** @param {number} pid */
export function isRunning(pid) {
  const stat = readStat(pid);
  return stat !== undefined && stat.state !== ENDED;
}

/** Ended, and nobody has asked for its exit code yet. */
const ENDED = 'Z';

/**
 * @param {number} pid
 * @returns {{ state: string, parent: number } | undefined} undefined: there is no such process
 */
function readStat(pid) {
  try {
    // 4312 (its name, which may hold anything) S PARENT …
    const [, state = '', parent] = /^.*\) (\S) (\d+) /s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
    return { state, parent: Number(parent) };
  } catch (error) {
    // It may have ended since it was found.
    if (['ENOENT', 'ESRCH'].includes(/** @type {NodeJS.ErrnoException} */ (error).code ?? '')) return undefined;
    throw error;
  }
}
