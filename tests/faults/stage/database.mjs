import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createConnection } from 'mysql2/promise';
import { PROJECT } from '../../../scripts/project.mjs';

export const CLI = join(PROJECT, 'dist', 'cli.js');
const GRANTS = readFileSync(join(PROJECT, 'sql', 'grants.sql'), 'utf8');
const NO_SUCH_TABLE = 1146;

/** The users of sql/grants.sql. */
const ROLES = /** @type {const} */ (['migrator', 'producer', 'worker', 'viewer']);

/** @typedef {(typeof ROLES)[number]} Role */

/** What job functions write by ctx.complete and ctx.save. No key makes a second effect impossible: it is to be seen. */
const EFFECTS = `CREATE TABLE effects (
  id      BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  job_id  BIGINT UNSIGNED NOT NULL,
  step    VARCHAR(32) NOT NULL,
  attempt INT UNSIGNED NOT NULL,
  process INT UNSIGNED NOT NULL,
  at      TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  KEY of_job (job_id)
) ENGINE = InnoDB`;

/** Rowlock's database on the server of a scene, with the users of sql/grants.sql and no more rights than theirs. */
export class Database {
  #server;
  /** One for all four: what is looked for in the logs. */
  secret = randomBytes(12).toString('hex');

  /** @param {import('./server.mjs').Server} server */
  constructor(server) {
    this.#server = server;
  }

  /** @param {import('./server.mjs').Server} server */
  static async create(server) {
    const database = new Database(server);
    await database.grant();
    for (const role of ROLES) {
      await database.execute(`ALTER USER 'rowlock_${role}'@'%' IDENTIFIED BY '${database.secret}' ACCOUNT UNLOCK`);
    }
    database.migrate();
    await database.grant();
    await database.execute(EFFECTS);
    await database.allow('worker', 'SELECT, INSERT', 'effects');
    return database;
  }

  /**
   * What DATABASE_URL says for this user.
   *
   * @param {Role} role
   * @param {string} [through] the URL of a proxy, whose place the connection goes to
   */
  url(role, through = this.#server.url) {
    const url = new URL(through);
    url.username = `rowlock_${role}`;
    url.password = this.secret;
    url.pathname = '/rowlock';
    return url.href;
  }

  /** `rowlock migrate`, as the migrator. */
  migrate() {
    const { status, stderr } = spawnSync(process.execPath, [CLI, 'migrate'], {
      cwd: this.#server.folder,
      env: { PATH: process.env['PATH'] ?? '', DATABASE_URL: this.url('migrator') },
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`rowlock migrate ended with ${status}: ${stderr}`);
  }

  /** Runs sql/grants.sql as a DBA does; before there are tables it ends at the first of them. */
  async grant() {
    try {
      await this.execute(GRANTS);
    } catch (error) {
      if (/** @type {{ errno?: number }} */ (error).errno !== NO_SUCH_TABLE) throw error;
    }
  }

  /**
   * Rights beyond sql/grants.sql: on a table that job functions write to.
   *
   * @param {Role} role
   * @param {string} privileges
   * @param {string} table
   */
  async allow(role, privileges, table) {
    await this.execute(`GRANT ${privileges} ON ${table} TO 'rowlock_${role}'@'%'`);
  }

  /**
   * Sends statements as the user who may do everything, on a connection of their own.
   *
   * @param {string} sql
   * @param {unknown[]} [values]
   * @returns {Promise<any>} its rows, or what it changed
   */
  async execute(sql, values = []) {
    const connection = await createConnection({
      uri: this.#server.url,
      multipleStatements: true,
      supportBigNumbers: true,
      jsonStrings: true,
      timezone: 'Z',
    });
    try {
      const [answer] = await connection.query(sql, values);
      return answer;
    } finally {
      connection.destroy();
    }
  }
}
