import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createConnection } from 'mysql2/promise';
import { greets } from '../../../scripts/database/greeting.mjs';
import { initialStatements, planServer } from '../../../scripts/database/local-server.mjs';
import { findFreePort } from '../../../scripts/database/private-server.mjs';

const START_DEADLINE_MS = 60_000;

/** A commit that is answered is on the disk: without it a kill of the server would prove nothing. */
const DURABLE = ['--innodb-flush-log-at-trx-commit=1', '--innodb-doublewrite=1', '--loose-sync-binlog=1'];

/** Small: it is copied for each scene. */
const LITTLE = ['--character-set-server=utf8mb4', '--innodb-buffer-pool-size=256M', '--loose-innodb-log-file-size=32M'];

/**
 * @typedef {object} ServerOptions
 * @property {import('../../../scripts/database/local-server.mjs').Program} program
 * @property {string} folder of this server, to be made
 * @property {string} template a folder for data that was made once and is copied for each server of the family
 * @property {import('./processes.mjs').Processes} processes
 */

/** A server of one scene: its port and its data stay the same through every kill and every new start. */
export class Server {
  #options;
  #port;
  #password;
  /** @type {string[]} */
  #extra = [];
  /** @type {import('./processes.mjs').Started | undefined} */
  #running;
  /**
   * What its process is started with besides: a clock of its own, say. It counts from the next start on.
   *
   * @type {NodeJS.ProcessEnv}
   */
  env = {};

  /**
   * @param {ServerOptions} options
   * @param {number} port
   * @param {string} password
   */
  constructor(options, port, password) {
    this.#options = options;
    this.#port = port;
    this.#password = password;
  }

  /**
   * Makes its data and starts it.
   *
   * @param {ServerOptions} options
   * @param {string[]} [extra] options for the server
   */
  static async create(options, extra = []) {
    const { program, folder, template } = options;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (!existsSync(template)) makeData(program, template);
    cpSync(template, folder, { recursive: true });
    const server = new Server(options, await findFreePort(), randomBytes(12).toString('hex'));
    writeFileSync(join(folder, 'init.sql'), initialStatements(server.#password), { mode: 0o600 });
    await server.start([`--init-file=${join(folder, 'init.sql')}`, ...extra]);
    server.#extra = extra;
    return server;
  }

  get isMariaDB() {
    return this.#options.program.isMariaDB;
  }

  get version() {
    return this.#options.program.version;
  }

  get port() {
    return this.#port;
  }

  /** False: it has been ended, or has ended itself. */
  get isUp() {
    return this.#running?.isAlive() ?? false;
  }

  /** The process of the server, while it runs. */
  get pid() {
    return this.#running?.pid;
  }

  /** The folder that holds its data: `data` in it, and its log. */
  get folder() {
    return this.#options.folder;
  }

  /** Of the user who may do everything. */
  get url() {
    return `mysql://rowlock:${this.#password}@127.0.0.1:${this.#port}/rowlock`;
  }

  /** What must not be seen in any log. */
  get secret() {
    return this.#password;
  }

  /**
   * Starts it, on the same data and port as before.
   *
   * @param {string[]} [extra] options for the server; by default those of the start before
   */
  async start(extra = this.#extra) {
    const { program, folder, processes } = this.#options;
    const { serve } = planServer(program, { folder, port: this.#port, options: [...DURABLE, ...LITTLE, ...extra] });
    this.#extra = extra;
    const running = processes.start(serve, {
      log: join(folder, 'log'),
      cwd: folder,
      env: { ...withOwnTmp(folder), ...this.env },
    });
    this.#running = running;
    if (await greets(this.#port, START_DEADLINE_MS, running.isAlive)) return;
    throw new Error(`the server does not start; see ${join(folder, 'log')}`);
  }

  /** SIGKILL: as if its machine had lost its power, but for what the kernel has in its hands. */
  async kill() {
    this.#running?.signal('SIGKILL');
    await this.#running?.ended;
  }

  /** As an operator stops it. */
  async stop() {
    this.#running?.signal('SIGTERM');
    await this.#running?.ended;
  }

  /** A plain connection of the user who may do everything. */
  connect() {
    return createConnection({ uri: this.url, supportBigNumbers: true, jsonStrings: true, timezone: 'Z' });
  }
}

/**
 * MariaDB removes what looks like its own in the folder for temporary files when it starts: in a shared one, the tables
 * of another server.
 *
 * @param {string} folder
 */
function withOwnTmp(folder) {
  const TMPDIR = join(folder, 'tmp');
  mkdirSync(TMPDIR, { recursive: true });
  return { ...process.env, TMPDIR };
}

/**
 * @param {import('../../../scripts/database/local-server.mjs').Program} program
 * @param {string} folder
 */
function makeData(program, folder) {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const {
    initialise: [installer = '', ...args],
  } = planServer(program, { folder, port: 0 });
  const options = program.isMariaDB ? [] : LITTLE;
  const env = withOwnTmp(folder);
  const { status, stderr } = spawnSync(installer, [...args, ...options], { cwd: folder, env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${installer} cannot make a server's data (${status}): ${stderr.slice(-400)}`);
}
