import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { PROJECT } from '../../../scripts/project.mjs';
import { steadyNow } from './clock.mjs';
import { CLI } from './database.mjs';
import { findChildren, sendSignal } from './processes.mjs';

const JOBS = join(PROJECT, 'tests', 'faults', 'jobs.cjs');

/** Cron waits for the next minute; a fleet waits this long, and after a run that went wrong a little longer. */
const NEXT_RUN_MS = 100;
const AFTER_FAULT_MS = 500;

/** How long a run may take to end by itself when the fleet is stopped. */
const LAST_RUN_MS = 30_000;

/**
 * @typedef {object} FleetOptions
 * @property {number} [size] runs at once; 3
 * @property {string} [url] of the worker; by way of a proxy, say
 * @property {string[]} [command] instead of `run`: `schedule`, whose runs are processes of its own
 * @property {string[]} [args] for `rowlock run`, after the fleet's own, which they override
 * @property {NodeJS.ProcessEnv} [env] beside the fleet's own
 * @property {string[]} [nodeArgs]
 * @property {string} [jobs] the module of the job types
 * @property {string[]} [launcher] stands before node: `faketime`, say
 * @property {number} [pauseMs] from the end of a run to the start of the next; 100
 * @property {(number: number) => Pick<FleetOptions, 'url' | 'command' | 'args' | 'env' | 'nodeArgs' | 'launcher'>} [each] what the
 *   run of this number has for its own
 */

/**
 * A process of the fleet: one `rowlock run`.
 * @typedef {object} RunProcess
 * @property {number} number from 1, in the order of their start
 * @property {number} pid
 * @property {number} startedAt on the steady clock
 * @property {number | undefined} endedAt
 * @property {number | null | undefined} code
 * @property {NodeJS.Signals | null | undefined} signal what ended it
 * @property {ReadonlySet<NodeJS.Signals>} sent signals that the scene has sent to it, or the fleet's end
 * @property {boolean} hung SIGTERM did not end it when the fleet was stopped, and SIGKILL did
 * @property {string} log the file that has what it printed
 */

/** Runs that follow each other in so many places, as cron starts them. */
export class Fleet {
  /** @type {(Omit<RunProcess, 'sent'> & { sent: Set<NodeJS.Signals>, started: import('./processes.mjs').Started })[]} */
  #all = [];
  /** @type {Promise<void>[]} */
  #places = [];
  #stopping = false;
  #options;
  #home;

  /**
   * @param {Required<Pick<FleetOptions, 'url'>> & FleetOptions} options
   * @param {{ folder: string, journal: string, processes: import('./processes.mjs').Processes, nextNumber: () => number, leaseMs: number }} home
   */
  constructor(options, home) {
    this.#options = options;
    this.#home = home;
    mkdirSync(join(home.folder, 'runs'), { recursive: true });
    // An empty one: no .env is read.
    mkdirSync(join(home.folder, 'cwd'), { recursive: true });
    for (let place = 0; place < (options.size ?? 3); place++) {
      const serving = this.#serve();
      // A fault of the harness itself is told by stop().
      serving.catch(() => undefined);
      this.#places.push(serving);
    }
  }

  /** Every process that was started so far. */
  get all() {
    return this.#all.map(({ started: _, ...process }) => process);
  }

  /** Those that run, or are stopped. */
  get live() {
    return this.#all.filter(({ started }) => started.isAlive()).map(({ started: _, ...process }) => process);
  }

  /**
   * @param {number} number
   * @param {NodeJS.Signals} signal
   * @returns {boolean} false: it has ended already
   */
  signal(number, signal) {
    const process = this.#find(number);
    const wasAlive = process.started.signal(signal);
    if (wasAlive) process.sent.add(signal);
    return wasAlive;
  }

  /**
   * The processes of suspects, and the programs, that this run has started.
   *
   * @param {number} number
   */
  childrenOf(number) {
    return findChildren(this.#find(number).pid);
  }

  /**
   * To each of these: suspects' processes lead no group of their own.
   *
   * @param {number} number
   * @param {NodeJS.Signals} signal
   * @returns {number[]} those that were there
   */
  signalChildren(number, signal) {
    return this.childrenOf(number).filter((pid) => sendSignal(pid, signal));
  }

  /**
   * When it has ended.
   *
   * @param {number} number
   */
  async ended(number) {
    await this.#find(number).started.ended;
  }

  /**
   * The id in background_job_runs: undefined as long as it has none.
   *
   * @param {number} number
   * @returns {number | undefined}
   */
  runIdOf(number) {
    return readRunId(this.#find(number).log);
  }

  /** Starts no further run; those that are there go on. */
  halt() {
    this.#stopping = true;
  }

  /** Starts no further run, lets those that are there end by SIGTERM, and ends what does not. */
  async stop() {
    this.halt();
    for (const { started, sent } of this.#all) {
      started.signal('SIGCONT');
      if (started.signal('SIGTERM')) sent.add('SIGTERM');
    }
    const late = setTimeout(() => {
      for (const process of this.#all) {
        if (!process.started.isAlive()) continue;
        process.hung = true;
        process.started.killGroup();
      }
    }, LAST_RUN_MS);
    await Promise.all(this.#places);
    clearTimeout(late);
  }

  /** @param {number} number */
  #find(number) {
    const process = this.#all.find((one) => one.number === number);
    if (process === undefined) throw new Error(`the fleet has no run ${number}`);
    return process;
  }

  async #serve() {
    while (!this.#stopping) {
      const process = this.#start();
      const { code, signal } = await process.started.ended;
      Object.assign(process, { code, signal, endedAt: steadyNow() });
      const { pauseMs = NEXT_RUN_MS } = this.#options;
      await pause(code === 0 || signal !== null ? pauseMs : Math.max(pauseMs, AFTER_FAULT_MS));
    }
  }

  #start() {
    const { folder, journal, processes, nextNumber, leaseMs } = this.#home;
    const number = nextNumber();
    const { each, ...common } = this.#options;
    const own = each?.(number) ?? {};
    const { url, size = 3, jobs = JOBS } = { ...common, ...own };
    const log = join(folder, 'runs', `${number}.log`);
    const command = [
      ...(own.launcher ?? common.launcher ?? []),
      process.execPath,
      ...(own.nodeArgs ?? common.nodeArgs ?? []),
      CLI,
      ...(own.command ?? common.command ?? ['run']),
      ...['--jobs', jobs, '--max-runs', String(size), '--lease', `${leaseMs}ms`, '--grace', '2s', '--keep-alive', '5s'],
      ...['--max-time', '20s', '--concurrency', '8'],
      ...(common.args ?? []),
      ...(own.args ?? []),
    ];
    const env = {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      DATABASE_URL: url,
      LOG_LEVEL: 'info',
      FAULTS_JOURNAL: journal,
      FAULTS_PROCESS: String(number),
      ...common.env,
      ...own.env,
    };
    const startedAt = steadyNow();
    const started = processes.start(command, { log, cwd: join(folder, 'cwd'), env });
    const run = {
      number,
      pid: started.pid,
      startedAt,
      endedAt: undefined,
      code: undefined,
      signal: undefined,
      sent: new Set(),
      hung: false,
      log,
      started,
    };
    this.#all.push(run);
    return run;
  }
}

/**
 * @param {string} log
 * @returns {number | undefined}
 */
export function readRunId(log) {
  const line = readFileSync(log, 'utf8')
    .split('\n')
    .find((text) => text.includes('"run.started"'));
  return line === undefined ? undefined : JSON.parse(line).run_id;
}
