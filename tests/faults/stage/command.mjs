import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CLI } from './database.mjs';

const DEADLINE_MS = 60_000;

/**
 * How a command ended.
 * @typedef {object} Ended
 * @property {string[]} args
 * @property {number} code
 * @property {string} stdout
 * @property {string} stderr
 */

/** What a terminal obeys, or takes for the end of a line. */
export const COMMANDS_TERMINAL = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u;

/** Runs commands of Rowlock as people do, and keeps what they print. */
export class Commands {
  #folder;
  #count = 0;

  /** @param {string} folder of the scene */
  constructor(folder) {
    this.#folder = folder;
    for (const name of ['runs', 'cwd']) mkdirSync(join(folder, name), { recursive: true });
  }

  /**
   * @param {string[]} args
   * @param {NodeJS.ProcessEnv} env beside PATH and HOME
   * @param {{ isSecret?: boolean }} [options] isSecret: it is to print a payload, and nobody looks for one in it
   * @returns {Promise<Ended>}
   */
  run(args, env, { isSecret = false } = {}) {
    const number = ++this.#count;
    return new Promise((resolve, reject) => {
      const options = {
        cwd: join(this.#folder, 'cwd'),
        env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
        encoding: /** @type {const} */ ('utf8'),
        timeout: DEADLINE_MS,
        killSignal: /** @type {const} */ ('SIGKILL'),
        maxBuffer: 64 * 1024 * 1024,
      };
      execFile(process.execPath, ['--', CLI, ...args], options, (error, stdout, stderr) => {
        const code = error === null ? 0 : error.code;
        if (typeof code !== 'number') return reject(error);
        if (!isSecret) writeFileSync(join(this.#folder, 'runs', `command-${number}.log`), `${stdout}${stderr}`);
        resolve({ args, code, stdout, stderr });
      });
    });
  }
}

/**
 * What is wrong with what a command printed, whatever it was asked: undefined if nothing.
 *
 * @param {Ended} ended
 * @param {readonly number[]} codes that are to be expected
 * @returns {string | undefined}
 */
export function findFault({ args, code, stdout, stderr }, codes) {
  if (!codes.includes(code)) return `exit code ${code}, not ${codes.join(' or ')}: ${stderr.slice(0, 200)}`;
  if (COMMANDS_TERMINAL.test(stderr.replaceAll('\n', ''))) return 'stderr commands the terminal';
  // What Prometheus reads is no text for people.
  if (args[0] !== 'metrics' && COMMANDS_TERMINAL.test(stdout.replaceAll(/[\n\t]/g, '')))
    return 'stdout commands the terminal';
  const strange = stderr.split('\n').find((line) => line !== '' && !line.startsWith('rowlock: '));
  if (strange !== undefined) return `a line that is none of Rowlock's: ${JSON.stringify(strange.slice(0, 200))}`;
  if (!args.includes('--json') || code > 1) return undefined;
  try {
    JSON.parse(stdout);
  } catch {
    return `no JSON: ${JSON.stringify(stdout.slice(0, 200))}`;
  }
  return stdout.trimEnd().includes('\n') ? 'JSON on several lines' : undefined;
}
