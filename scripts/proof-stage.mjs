import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPool } from 'mysql2/promise';
import { PROJECT } from './project.mjs';

const CLI = join(PROJECT, 'dist', 'cli.js');

/** What a proof works on: a folder and a migrated database of its own, on the server of ROWLOCK_TEST_DATABASE_URL. */
export class ProofStage {
  /** The files that jobs read and write. */
  folder;
  #env;
  #url;
  #database;
  #control;
  #pool;

  /**
   * @param {string} name of the proof
   * @param {NodeJS.ProcessEnv} env what every command gets besides
   */
  constructor(name, env) {
    const server = new URL(process.env['ROWLOCK_TEST_DATABASE_URL'] ?? '');
    this.#database = `${server.pathname.slice(1)}_${name}_${process.pid}`;
    this.#url = new URL(`/${this.#database}`, server);
    this.#env = env;
    this.folder = mkdtempSync(join(tmpdir(), `rowlock-${name}-`));
    this.#control = createPool({ uri: server.href, connectionLimit: 1 });
    this.#pool = createPool({ uri: this.#url.href, connectionLimit: 2, flags: ['LOCAL_FILES'] });
  }

  async open() {
    await this.#control.query(`CREATE DATABASE ${this.#database} CHARACTER SET utf8mb4`);
    const code = await this.rowlock('migrate').ended;
    if (code !== 0) throw new Error(`rowlock migrate has ended with ${code}`);
  }

  /** Nothing of it is left behind. */
  async close() {
    await this.#pool.end();
    await this.#control.query(`DROP DATABASE IF EXISTS ${this.#database}`);
    await this.#control.end();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /**
   * @param {string | import('mysql2').QueryOptions} statement
   * @returns {Promise<Record<string, unknown>[]>} none of one that is no SELECT
   */
  async query(statement) {
    const [rows] = await this.#pool.query(/** @type {import('mysql2').QueryOptions} */ (statement));
    return Array.isArray(rows) ? /** @type {Record<string, unknown>[]} */ (rows) : [];
  }

  async readVersion() {
    const [row] = await this.query('SELECT VERSION() AS version');
    return row?.['version'];
  }

  /**
   * Starts `rowlock …`; `ended` gives its exit code, null if it was killed.
   *
   * @param {string[]} args
   */
  rowlock(...args) {
    const env = { PATH: process.env['PATH'], DATABASE_URL: this.#url.href, JOB_FILES_DIR: this.folder, ...this.#env };
    const child = spawn(process.execPath, [CLI, ...args], {
      env,
      cwd: this.folder,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    let isOver = false;
    const ended = once(child, 'close').then(([code]) => {
      isOver = true;
      return /** @type {number | null} */ (code);
    });
    return { child, ended, isOver: () => isOver };
  }
}
