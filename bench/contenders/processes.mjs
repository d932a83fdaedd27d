import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PROJECT } from '../../scripts/project.mjs';
import { findNode } from '../node.mjs';
import { ENVIRONMENT } from './tuning.mjs';

/** What is asked of a host and takes longer than this is not slow but stuck. */
const ANSWER_MS = 120_000;

const HERE = join(PROJECT, 'bench', 'contenders');

/** @type {Set<import('node:child_process').ChildProcess>} */
const alive = new Set();

process.on('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

/**
 * @template {import('node:child_process').ChildProcess} C
 * @param {C} child
 */
function keep(child) {
  alive.add(child);
  child.on('exit', () => alive.delete(child));
  return child;
}

/**
 * The environment of a contender's process: nobody's DATABASE_URL or NODE_OPTIONS is to get in.
 *
 * @param {Record<string, string>} more
 */
const environment = (more) => ({ PATH: process.env['PATH'], NODE_ENV: 'production', ...more });

/** @typedef {import('./list.mjs').Entry & { at: string }} Placed */

/** The process that enqueues and looks, for one contender. */
export class Host {
  /**
   * @param {Placed} entry
   */
  constructor(entry) {
    this.name = `${entry.name} (${entry.server})`;
    this.child = keep(
      fork(join(HERE, 'host.mjs'), [entry.name, entry.at], {
        execPath: findNode(),
        execArgv: [],
        env: environment({}),
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      }),
    );
    /** @type {Promise<never>} */
    this.ended = once(this.child, 'exit').then(([code]) => {
      throw new Error(`the process of ${this.name} ended (${code})`);
    });
    this.ended.catch(() => undefined);
  }

  /**
   * @param {'prepare' | 'remove' | keyof import('./contender.mjs').Session} method
   * @param {number} [count]
   * @returns {Promise<{ value: unknown, ms: number }>}
   */
  async ask(method, count = 0) {
    const answered = once(this.child, 'message');
    this.child.send({ method, count });
    const [answer] = await this.withinDeadline(method, Promise.race([answered, this.ended]));
    if (answer.fault !== undefined) throw new Error(`${this.name}, ${method}: ${answer.fault}`);
    return answer.result;
  }

  /**
   * A process that does not answer is ended.
   *
   * @template T
   * @param {string} method
   * @param {Promise<T>} answer
   */
  async withinDeadline(method, answer) {
    /** @type {NodeJS.Timeout | undefined} */
    let deadline;
    /** @type {Promise<never>} */
    const late = new Promise((_, reject) => {
      deadline = setTimeout(() => {
        reject(new Error(`${this.name}, ${method}: no answer in ${ANSWER_MS / 1000} s`));
        this.child.kill('SIGKILL');
      }, ANSWER_MS);
    });
    try {
      return await Promise.race([answer, late]);
    } finally {
      clearTimeout(deadline);
    }
  }

  /** Nothing of the contender stays on the server, unless its process has died. */
  async close() {
    if (this.child.killed || !alive.has(this.child)) return;
    const ended = once(this.child, 'exit');
    try {
      await this.ask('remove');
    } finally {
      if (this.child.connected) this.child.disconnect();
      await ended;
    }
  }
}

/** The worker processes of one drain, and how often their handlers ran. */
export class Workers {
  /**
   * @param {Placed} entry
   * @param {number} processes
   */
  constructor(entry, processes) {
    this.folder = mkdtempSync(join(tmpdir(), 'rowlock-bench-handled-'));
    this.startedAt = performance.now();
    const command =
      entry.name === 'rowlock'
        ? ['dist/cli.js', 'run', '--jobs', 'bench/jobs.mjs', '--max-runs', String(processes)]
        : [join(HERE, 'worker.mjs'), entry.name, entry.at];
    const env = environment({
      BENCH_HANDLED: this.folder,
      ...ENVIRONMENT[entry.name],
      ...(entry.name === 'rowlock' ? { DATABASE_URL: entry.at } : {}),
    });
    this.children = Array.from({ length: processes }, () =>
      keep(spawn(findNode(), command, { cwd: PROJECT, env, stdio: ['pipe', 'ignore', 'inherit'] })),
    );
    this.watchdog = this.startWatchdog();
  }

  /** Ends the workers when the bench is killed: a run waits for a server that is away. */
  startWatchdog() {
    const script = 'cat >/dev/null; kill -9 "$@" 2>/dev/null; rm -rf "$0"';
    const pids = this.children.map(({ pid }) => String(pid));
    return spawn('sh', ['-c', script, this.folder, ...pids], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  }

  /** How often handlers ran, as they have told so far. */
  get handled() {
    let sum = 0;
    for (const file of readdirSync(this.folder)) {
      sum += Number.parseInt(readFileSync(join(this.folder, file), 'utf8'), 10) || 0;
    }
    return sum;
  }

  /** Whether none runs any more. */
  get haveEnded() {
    return this.children.every((child) => !alive.has(child));
  }

  get elapsedMs() {
    return performance.now() - this.startedAt;
  }

  /** Ends them, those that end by themselves when they do. */
  async stop() {
    await Promise.all(
      this.children
        .filter((child) => alive.has(child))
        .map(async (child) => {
          const ended = once(child, 'exit');
          const deadline = setTimeout(() => child.kill('SIGKILL'), 5_000);
          child.stdin?.end();
          await ended;
          clearTimeout(deadline);
        }),
    );
    return this.handled;
  }

  /** What the watchdog guards is gone by its end. */
  forget() {
    rmSync(this.folder, { recursive: true, force: true });
    this.watchdog.kill('SIGKILL');
    this.watchdog.stdin?.destroy();
  }
}
