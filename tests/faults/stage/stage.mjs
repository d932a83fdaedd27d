import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { KINDS } from '../kinds.mjs';
import { Seeded } from '../seeded.mjs';
import { steadyNow } from './clock.mjs';
import { Database } from './database.mjs';
import { Faults } from './faults.mjs';
import { Fleet } from './fleet.mjs';
import { Ledger } from './ledger.mjs';
import { isRunning, Processes } from './processes.mjs';
import { Producers } from './producers.mjs';
import { MeddlingProxy } from './proxy.mjs';
import { readExecutions, readPrints, readProcesses, readTables } from './read.mjs';
import { Sampler } from './sampler.mjs';
import { Server } from './server.mjs';
import { SmallDisk } from './small-disk.mjs';
import { until } from './until.mjs';

/** Short: what a dead run held is to be taken back while the scene still looks. A second is the least. */
const LEASE_MS = 3_000;

/** All of the rows end within this, once nothing disturbs them any more. */
const QUIET_DEADLINE_MS = 120_000;

const DEADLOCK = 1213;
const LOCK_WAIT_TIMEOUT = 1205;

/**
 * @typedef {object} StageOptions
 * @property {string} name of the scene
 * @property {number} seed
 * @property {number} seconds for its faults
 * @property {boolean} long
 * @property {import('./programs.mjs').Family} family
 * @property {import('../../../scripts/database/local-server.mjs').Program} program
 * @property {string} folder for all that it writes
 * @property {boolean} [keep] the folder also where the scene held
 * @property {string} template where the family's fresh data is kept
 * @property {(text: string) => void} say
 */

/**
 * What a scene is played on: a server of its own, a database with Rowlock's tables and users, and whoever works on it.
 * Whatever it starts ends with it.
 */
export class Stage {
  #options;
  #processes = new Processes();
  /** @type {Fleet[]} */
  #fleets = [];
  /** @type {Producers[]} */
  #producers = [];
  /** @type {(() => unknown)[]} */
  #endings = [];
  #runNumbers = 0;
  /** @type {SmallDisk | undefined} */
  #disk;
  #began = steadyNow();

  faults = new Faults();
  ledger;
  random;
  /** Stands in each payload, and must stand nowhere else. */
  canary;
  leaseMs = LEASE_MS;
  /** @type {import('../check/readings.mjs').Expectations} */
  expect = { kinds: structuredClone(KINDS), touched: new Set() };
  /** What the server's clock says, on the true one: another for a scene that sets that of the server. */
  toTrueMs = (/** @type {number} */ serverMs) => serverMs;
  /** Further words that must not be in any print. @type {string[]} */
  secrets = [];
  /** What the scene itself has seen to be wrong. @type {import('../check/check.mjs').Finding[]} */
  findings = [];

  /**
   * @param {StageOptions} options
   * @param {Server} server
   * @param {Processes} processes
   */
  constructor(options, server, processes) {
    this.#options = options;
    this.#processes = processes;
    this.server = server;
    this.database = new Database(server);
    this.ledger = new Ledger(join(options.folder, 'ledger.jsonl'));
    this.random = new Seeded(options.seed).fork(options.name);
    this.canary = `canary-${options.seed}-${this.random.fork('canary').int(100_000, 999_999)}`;
    this.sampler = new Sampler(server, this.faults);
    this.sampler.touched = this.expect.touched;
  }

  /**
   * Starts the server and makes the database.
   *
   * @param {StageOptions} options
   * @param {Pick<import('../scenes/scene.mjs').Scene, 'serverOptions' | 'diskMegabytes'>} [wishes]
   */
  static async open(options, { serverOptions = [], diskMegabytes } = {}) {
    const { program, template, folder } = options;
    const home = join(folder, 'server');
    mkdirSync(home, { recursive: true, mode: 0o700 });
    const disk = diskMegabytes === undefined ? undefined : new SmallDisk(home, diskMegabytes);
    const processes = new Processes();
    try {
      const server = await Server.create({ program, template, folder: home, processes }, [...serverOptions]);
      const stage = new Stage(options, server, processes);
      stage.#disk = disk;
      stage.database = await Database.create(server);
      return stage;
    } catch (error) {
      await processes.close();
      disk?.unmount();
      throw error;
    }
  }

  /** What the server stands on, where the scene has wished for it. */
  get disk() {
    if (this.#disk === undefined) throw new Error('the scene says no diskMegabytes');
    return this.#disk;
  }

  get folder() {
    return this.#options.folder;
  }

  get isLong() {
    return this.#options.long;
  }

  /** Seconds for the faults of this scene. What it does is to fit: more faults where there are more. */
  get seconds() {
    return this.#options.seconds;
  }

  /** Whether the time for faults is not over yet. */
  get hasTime() {
    return steadyNow() - this.#began < this.seconds * 1000;
  }

  /**
   * Tells whoever looks on, with the scene's name ahead.
   *
   * @param {string} text
   */
  say(text) {
    this.#options.say(`${this.#options.name}: ${text}`);
  }

  /**
   * Work that is to be undone when the scene is over, however it ended: the newest first.
   *
   * @param {() => unknown} end
   */
  atEnd(end) {
    this.#endings.push(end);
  }

  /** @param {import('./fleet.mjs').FleetOptions} [options] */
  startFleet(options = {}) {
    const fleet = new Fleet(
      { url: this.database.url('worker'), ...options },
      {
        folder: this.folder,
        journal: this.journalFile,
        processes: this.#processes,
        nextNumber: () => ++this.#runNumbers,
        leaseMs: this.leaseMs,
      },
    );
    this.#fleets.push(fleet);
    return fleet;
  }

  /** @param {import('./producers.mjs').ProducerOptions} options */
  startProducers(options) {
    const producers = new Producers(
      { url: this.database.url('producer'), ...options },
      { ledger: this.ledger, canary: this.canary, random: this.random.fork(`producers ${this.#producers.length}`) },
    );
    this.#producers.push(producers);
    return producers;
  }

  /** A network between workers and the server: `startFleet({ url: stage.database.url('worker', proxy.url) })`. */
  async openProxy() {
    const proxy = await MeddlingProxy.open(this.server.url);
    this.atEnd(() => proxy.close());
    return proxy;
  }

  get journalFile() {
    return join(this.folder, 'journal.jsonl');
  }

  /**
   * What this run holds now, or all runs do: for the fault that strikes it.
   *
   * @param {number} [runId]
   * @returns {Promise<import('./faults.mjs').Held[]>}
   */
  readHeld(runId) {
    return this.database.execute(
      `SELECT id, run_id AS runId, attempts FROM background_jobs
       WHERE status = 'running' AND run_id IS NOT NULL AND (? IS NULL OR run_id = ?)`,
      [runId ?? null, runId ?? null],
    );
  }

  /**
   * No more faults: stops the producers, ends every pause before a next attempt, and waits until all rows have ended
   * and no run is open. The fleets work on until then, and are stopped after it.
   *
   * @param {{ deadlineMs?: number }} [patience]
   */
  async comeToRest({ deadlineMs = QUIET_DEADLINE_MS } = {}) {
    await Promise.all(this.#producers.map((producers) => producers.stop()));
    let left = Number.NaN;
    const haveAllEnded = async () => {
      left = await this.#countOpen();
      return left === 0;
    };
    await until('every row ends', haveAllEnded, { deadlineMs, everyMs: 250 }).catch((error) => {
      this.findings.push({ check: 'every row ends', id: '', text: `${error.message}; ${left} are open` });
    });
    // One that was killed just now has its lease still: the runs that go on close it once that is over.
    await until('every run of a dead process is closed', () => this.#areOpenRunsAlive(), {
      everyMs: 250,
      deadlineMs: 30_000,
    }).catch((error) => this.findings.push({ check: 'the run ledger adds up', id: '', text: error.message }));
    await until('every fault is recovered from', () => this.faults.waitedFor.length === 0).catch((error) => {
      this.findings.push({ check: 'every row ends', id: '', text: error.message });
    });
    await Promise.all(this.#fleets.map((fleet) => fleet.stop()));
    await this.sampler.stop();
  }

  async #areOpenRunsAlive() {
    const runs = await this.database.execute('SELECT pid FROM background_job_runs WHERE finished_at IS NULL');
    return runs.every((/** @type {{ pid: number }} */ { pid }) => isRunning(pid));
  }

  /** Rows that have not ended, each pause before a next attempt being over. */
  async #countOpen() {
    const hurry = this.database.execute(
      `UPDATE background_jobs SET run_at = NOW(3) WHERE status = 'pending' AND run_at > NOW(3) + INTERVAL 1 SECOND`,
    );
    await hurry.catch((error) => {
      // A claim of the same rows has won; the next look comes soon.
      if (error.errno !== DEADLOCK && error.errno !== LOCK_WAIT_TIMEOUT) throw error;
    });
    const [row] = await this.database.execute(
      `SELECT COUNT(*) AS open FROM background_jobs WHERE status IN ('pending', 'running')`,
    );
    return Number(row.open);
  }

  /** All that the checks look at, once all is quiet. @returns {Promise<import('../check/readings.mjs').Readings>} */
  async read() {
    const { jobs, runs, errors, effects } = await readTables(this.server, this.toTrueMs);
    const prints = [
      ...readPrints(join(this.folder, 'runs')),
      ...jobs.flatMap(({ id, lastError }) =>
        lastError === null ? [] : [{ name: `last_error of ${id}`, text: lastError }],
      ),
      ...errors.map(({ job, error }) => ({ name: `history of ${job}`, text: error })),
    ];
    return {
      jobs,
      runs,
      errors,
      effects,
      ledger: this.ledger.read(),
      executions: readExecutions(this.journalFile),
      processes: readProcesses(this.#fleets.flatMap(({ all }) => all)),
      seenEnded: this.sampler.ended,
      prints,
      secrets: [this.canary, this.database.secret, this.server.secret, ...this.secrets],
      expect: this.expect,
    };
  }

  /** Ends all that it has started, however far it has come. */
  async close() {
    for (const fleet of this.#fleets) fleet.halt();
    // What went wrong in one of them has been told by comeToRest, if the scene came so far.
    await Promise.allSettled([...this.#producers, this.sampler].map((one) => one.stop()));
    await this.#processes.close();
    for (const end of this.#endings.splice(0).reverse()) await end();
    if (this.#disk === undefined) return;
    copyFileSync(join(this.server.folder, 'log'), join(this.folder, 'server.log'));
    this.#disk.unmount();
    this.#disk = undefined;
  }
}
