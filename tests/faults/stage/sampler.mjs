import { setTimeout as pause } from 'node:timers/promises';
import { isOfServer } from './of-server.mjs';

const LOOK_EVERY_MS = 1_000;

/** A held row whose run is over is found by the next rescue; each run that starts makes one. */
const TOLERANCE_SECONDS = 20;

/** By it a row is known, also where its id is given anew. */
const TOKEN = `JSON_UNQUOTE(JSON_EXTRACT(payload, '$.token'))`;

/**
 * Looks at the tables about once a second while a scene is played: what must hold at any moment, and how far the
 * recovery from each fault has come. A server that does not answer is asked again.
 */
export class Sampler {
  #server;
  #faults;
  #stopping = new AbortController();
  /** @type {Promise<void>} */
  #working = Promise.resolve();
  /** How long a row may be `running` with no live run: a scene in which no run can start says more. */
  toleranceSeconds = TOLERANCE_SECONDS;
  /** How often it has looked. */
  samples = 0;
  /** What was seen to be wrong: the name of the check, a job or run, and words. @type {import('../check/check.mjs').Finding[]} */
  findings = [];
  /** Rows as they were first seen to have ended, by id and token: that stands. @type {Map<string, import('../check/readings.mjs').Readings['seenEnded'][number]>} */
  ended = new Map();
  /** Tokens of rows that the scene itself changes: they may look like nothing that Rowlock writes. @type {ReadonlySet<number>} */
  touched = new Set();

  /**
   * @param {import('./server.mjs').Server} server
   * @param {import('./faults.mjs').Faults} faults
   */
  constructor(server, faults) {
    this.#server = server;
    this.#faults = faults;
  }

  /** From here on, as the tables are there. */
  begin() {
    this.#working = this.#work();
    // A fault of the harness itself is told by stop().
    this.#working.catch(() => undefined);
  }

  async stop() {
    this.#stopping.abort();
    await this.#working;
  }

  async #work() {
    const { signal } = this.#stopping;
    /** @type {import('mysql2/promise').Connection | undefined} */
    let connection;
    while (!signal.aborted) {
      try {
        if (connection === undefined) {
          connection = await this.#server.connect();
          connection.on('error', () => undefined);
        }
        await this.#look(connection);
        this.samples++;
      } catch (error) {
        if (!isOfServer(error)) throw error;
        connection?.destroy();
        connection = undefined;
      }
      await pause(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
    }
    connection?.destroy();
  }

  /** @param {import('mysql2/promise').Connection} connection */
  async #look(connection) {
    /**
     * @param {string} sql
     * @param {unknown[]} [values]
     * @returns {Promise<any[]>}
     */
    const ask = async (sql, values = []) => /** @type {any[]} */ ((await connection.query(sql, values))[0]);

    const ids = this.#faults.waitedFor;
    if (ids.length > 0) {
      this.#faults.look(
        await ask('SELECT id, status, run_id AS runId, attempts FROM background_jobs WHERE id IN (?)', [ids]),
      );
    }
    const unheld = await ask(
      `SELECT j.id, ${TOKEN} AS token, j.run_id AS runId FROM background_jobs j LEFT JOIN background_job_runs r ON r.id = j.run_id
       WHERE j.status = 'running' AND j.run_id IS NOT NULL
         AND COALESCE(r.finished_at, r.lease_expires_at, j.started_at) < NOW(3) - INTERVAL ? SECOND LIMIT 100`,
      [this.toleranceSeconds],
    );
    for (const { runId, ...row } of unheld)
      this.#find('held by nobody', row, `running for run ${runId}, which is over for ${this.toleranceSeconds} s`);
    const crooked = await ask(
      `SELECT id, ${TOKEN} AS token, status FROM background_jobs
       WHERE (status IN ('completed', 'failed')) <> (processed_at IS NOT NULL)
          OR (status = 'running' AND (run_id IS NULL OR started_at IS NULL OR attempts = 0)) LIMIT 100`,
    );
    for (const { status, ...row } of crooked)
      this.#find('row in one piece', row, `${status}, but its other columns say something else`);
    const ended = await ask(
      `SELECT id, ${TOKEN} AS token, status, attempts, run_id AS runId, CAST(UNIX_TIMESTAMP(processed_at) AS CHAR) AS endedAt FROM background_jobs
       WHERE status IN ('completed', 'failed') AND processed_at > NOW(3) - INTERVAL 10 SECOND`,
    );
    for (const row of ended) {
      const key = `${row.id} ${row.token}`;
      if (!this.ended.has(key)) this.ended.set(key, { ...row, token: row.token === null ? null : Number(row.token) });
    }
  }

  /**
   * @param {string} check
   * @param {{ id: number, token: string | null }} row
   * @param {string} text
   */
  #find(check, { id, token }, text) {
    if (token !== null && this.touched.has(Number(token))) return;
    if (!this.findings.some((finding) => finding.check === check && finding.id === id)) {
      this.findings.push({ check, id, text });
    }
  }
}
