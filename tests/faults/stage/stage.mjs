import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT } from '../../../scripts/project.mjs';
import { USUAL_CODES } from '../check/runs-end-in-order.mjs';
import { KINDS } from '../kinds.mjs';
import { Seeded } from '../seeded.mjs';
import { steadyNow } from './clock.mjs';
import { Database } from './database.mjs';
import { Faults } from './faults.mjs';
import { Fleet } from './fleet.mjs';
import { idsOf, splitFormer } from './incarnations.mjs';
import { Ledger } from './ledger.mjs';
import { Processes } from './processes.mjs';
import { Producers } from './producers.mjs';
import { MeddlingProxy } from './proxy.mjs';
import { readExecutions, readJobEvents, readPrints, readProcesses, readTables } from './read.mjs';
import { untilQuiet } from './rest.mjs';
import { Sampler } from './sampler.mjs';
import { Server } from './server.mjs';
import { SmallDisk } from './small-disk.mjs';

/** Short: what a dead run held is to be taken back while the scene still looks. A second is the least. */
const LEASE_MS = 3_000;

/** 20 s of --max-time, and three statements, one after the other, that are given up after 30 s. */
const LONGEST_RUN_MS = 120_000;

const RESCUERS_JOBS = join(PROJECT, 'tests', 'faults', 'rescuers-jobs.cjs');

/** Each start costs a third of a second of a core. */
const RESCUERS_PAUSE_MS = 1_000;

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
  /** @type {Processes} */
  #processes;
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
  expect = {
    kinds: structuredClone(KINDS),
    touched: new Set(),
    touchedTokens: new Set(),
    taken: [],
    ends: { codes: new Set(USUAL_CODES), signals: new Set(), stacks: false, longestMs: LONGEST_RUN_MS },
    late: new Set(),
  };
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
    this.sampler.touched = this.expect.touchedTokens;
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
      stage.sampler.begin();
      // Only now: on a machine that has much to do, little of a short scene's time would be left.
      stage.#began = steadyNow();
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
   * The same, and on until all that is to be shown in this form was shown: for so much longer at most.
   *
   * @param {() => boolean} isShown
   * @param {number} overtimeMs
   */
  hasTimeFor(isShown, overtimeMs) {
    const worked = steadyNow() - this.#began - this.seconds * 1000;
    return worked < 0 || (worked < overtimeMs && !isShown());
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

  /**
   * Runs that only rescue, one after the other: what has died is found within a second or two, as by a cron that has
   * much to start, and not when the next long run happens to begin. Not beside runs of eight suspects and a lease of 3 s: whoever
   * renews late on a busy machine is closed by them, and makes the next suspects.
   */
  startRescuers() {
    // More slots than there are runs: they take none that others need.
    const args = ['--max-runs', '50', '--type', 'nobody inserts this', '--max-time', '2s', '--keep-alive', '0'];
    this.startFleet({ size: 1, args, jobs: RESCUERS_JOBS, pauseMs: RESCUERS_PAUSE_MS });
  }

  /** @param {import('./producers.mjs').ProducerOptions} options */
  startProducers(options) {
    const producers = new Producers(
      { url: this.database.url('producer'), ...options },
      { ledger: this.ledger, canary: this.canary, random: this.random.fork(`producers ${this.#producers.length}`) },
    );
    this.#producers.push(producers);
    // It ends whoever runs it.
    if (options.mix['poison'] !== undefined) this.expect.ends.signals.add('SIGKILL');
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
   * SIGKILL of a run, as a fault that strikes what it held.
   *
   * @param {Fleet} fleet
   * @param {number} number
   * @param {string} [what]
   * @returns {Promise<boolean>} false: it had ended by itself
   */
  async killRun(fleet, number, what = 'SIGKILL of a worker') {
    if (!fleet.signal(number, 'SIGKILL')) return false;
    await fleet.ended(number);
    const runId = fleet.runIdOf(number);
    this.faults.note(what, runId === undefined ? [] : await this.readHeld(runId));
    return true;
  }

  /**
   * No more faults: stops the producers, ends every pause before a next attempt, and waits until all rows have ended
   * and no run is open. The fleets work on until then, and are stopped after it.
   */
  async comeToRest() {
    await Promise.all(this.#producers.map((producers) => producers.stop()));
    await untilQuiet(this);
    await this.stop();
  }

  /** All that the checks look at, once all is quiet. @returns {Promise<import('../check/readings.mjs').Readings>} */
  async read() {
    const { jobs, runs, errors, effects } = await readTables(this.server, this.toTrueMs);
    const processes = this.#fleets.flatMap(({ all }) => all);
    const prints = [
      ...readPrints(join(this.folder, 'runs')),
      ...jobs.flatMap(({ id, lastError }) =>
        lastError === null ? [] : [{ name: `last_error of ${id}`, text: lastError }],
      ),
      ...errors.map(({ job, error }) => ({ name: `history of ${job}`, text: error })),
    ];
    const { executions, former } = splitFormer(readExecutions(this.journalFile, processes), jobs);
    for (const id of idsOf(this.expect.touchedTokens, jobs, executions)) this.expect.touched.add(id);
    return {
      jobs,
      runs,
      errors,
      effects,
      ledger: this.ledger.read(),
      executions,
      former,
      processes: readProcesses(processes),
      events: readJobEvents(processes),
      seenEnded: [...this.sampler.ended.values()],
      prints,
      secrets: [this.canary, this.database.secret, this.server.secret, ...this.secrets],
      expect: this.expect,
    };
  }

  /** Starts nothing more, and lets whoever works on it end: what is read after it stands still. */
  async stop() {
    await Promise.all(this.#producers.map((producers) => producers.stop()));
    await Promise.all(this.#fleets.map((fleet) => fleet.stop()));
    await this.sampler.stop();
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
