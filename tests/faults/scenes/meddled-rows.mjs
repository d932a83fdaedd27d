import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { PROJECT } from '../../../scripts/project.mjs';
import { readPrints } from '../stage/read.mjs';
import { until } from '../stage/until.mjs';

/** A run looks at what it holds at each heartbeat: what happens to a row before that is for its fence alone to find out. */
const GAP_MS = { from: 5, to: 150 };

/** Of hell.cjs. */
const TYPES = ['rows.plain', 'rows.result', 'rows.complete', 'rows.save'];

const KIND = /** @type {const} */ ({ ends: 'completed', effects: [] });

/**
 * What somebody does to a row that runs.
 * @typedef {object} Meddling
 * @property {string} sql
 * @property {boolean} [isLast] nobody may write to the row afterwards
 * @property {boolean} [isTold] the run that held it must say that it was taken away
 * @property {boolean} [isAnew] its run may claim it again under the same attempt
 */

/** @type {Record<string, Meddling>} */
const MEDDLINGS = {
  'said to have completed': { sql: `status = 'completed', processed_at = NOW(3)`, isLast: true },
  'said to have failed': { sql: `status = 'failed', processed_at = NOW(3)`, isLast: true, isTold: true },
  'put back': { sql: `status = 'pending', run_at = NOW(3)`, isTold: true },
  'put back as new': {
    sql: `status = 'pending', attempts = 0, run_id = NULL, started_at = NULL`,
    isTold: true,
    isAnew: true,
  },
  'put back for later': { sql: `status = 'pending', run_at = NOW(3) + INTERVAL 2 SECOND`, isTold: true },
  'given another attempt': { sql: 'attempts = attempts + 1', isTold: true },
  'given a lower attempt': { sql: 'attempts = 0', isTold: true, isAnew: true },
  'given no run': { sql: 'run_id = NULL', isLast: true, isTold: true },
  // Given back by whoever finds it, and its attempt with it.
  'given a run that is not there': { sql: 'run_id = 17', isTold: true, isAnew: true },
  'given another run': {
    sql: `run_id = COALESCE((SELECT id FROM background_job_runs WHERE finished_at IS NULL AND slot IS NOT NULL
                             AND id <> background_jobs.run_id LIMIT 1), 17)`,
    isTold: true,
    isAnew: true,
  },
  'moved to another queue': { sql: `queue = 'elsewhere', priority = 7` },
  'made another type': { sql: `job_type = 'noop'` },
  'given another payload': { sql: `payload = JSON_SET(payload, '$.ms', 0)` },
  cancelled: { sql: 'cancelled_at = NOW(3)' },
  'given a key': { sql: `unique_key = CONCAT('by hand ', id)` },
  'called a suspect': { sql: 'crashes = 2' },
};

/** There when the meddling ends. */
const ROWS_AT_LEAST = 60;

/** @type {import('./scene.mjs').Scene} */
export const scene = {
  name: 'meddled-rows',
  title: 'rows that somebody updates, deletes, inserts anew and truncates while they run',
  // Of thousands, those are there in the end that came after the last TRUNCATE.
  leastIfLong: { jobs: 100 },
  async run(stage) {
    const random = stage.random.fork('meddling');
    for (const type of TYPES) stage.expect.kinds[type] = KIND;
    stage.startFleet({ jobs: join(PROJECT, 'tests', 'faults', 'hell.cjs') });
    stage.startProducers({
      mix: { ...Object.fromEntries(TYPES.map((type) => [type, 2])), noop: 2, 'effect.complete': 1 },
      jobsPerSecond: 60,
      payloadOf: (type, choice) =>
        type.startsWith('rows.') ? { ms: choice.int(50, 800), deaf: choice.chance(0.3) } : {},
    });
    const meddler = new Meddler(stage);
    const truncations = stage.isLong ? 3 : 1;
    let truncated = 0;
    const began = performance.now();
    for (let turn = 1; stage.hasTime; turn++) {
      // Of its own: whether there was a row to be had does not change what the next turn does.
      const own = random.fork(`turn ${turn}`);
      await pause(own.int(GAP_MS.from, GAP_MS.to));
      await meddler.meddle(own);
      const isDue = (performance.now() - began) / 1000 > (stage.seconds * (truncated + 1)) / (truncations + 1);
      if (isDue && truncated < truncations) {
        truncated++;
        await meddler.truncate();
      }
    }
    // On a busy machine the last TRUNCATE comes late: what is inserted after it is what the checks look at.
    await until('rows are inserted after the last TRUNCATE', async () => (await meddler.countRows()) >= ROWS_AT_LEAST);
    await meddler.finish();
    await stage.comeToRest();
    meddler.noteDeleted();
    await meddler.judge();
  },
};

/**
 * @typedef {{ id: number, token: number, type: string, runId: number, attempts: number }} Victim
 */

class Meddler {
  #stage;
  /** Of rows that nobody may write to any more, by id. @type {Map<number, { what: string, row: Record<string, unknown> }>} */
  #last = new Map();
  /** What its run has to say that it was taken away. @type {{ id: number, runId: number, what: string }[]} */
  #told = [];
  /** Attempts that may write nothing after a time, as the server's clock said it. @type {(Pick<Victim, 'token' | 'runId' | 'attempts'> & { at: string, what: string })[]} */
  #over = [];
  /** Rows that are gone. @type {(import('../stage/ledger.mjs').LedgerEntry & { ran: boolean })[]} */
  #deleted = [];

  /**
   * @param {import('../stage/stage.mjs').Stage} stage
   */
  constructor(stage) {
    this.#stage = stage;
  }

  /**
   * Does something to a row that runs, if there is one that nobody has meddled with yet.
   *
   * @param {import('../seeded.mjs').Seeded} random
   */
  async meddle(random) {
    const { expect } = this.#stage;
    const running = await this.#execute(
      `SELECT id, JSON_VALUE(payload, '$.token') AS token, job_type AS type, run_id AS runId, attempts
       FROM background_jobs WHERE status = 'running' AND job_type LIKE 'rows.%' AND run_id IS NOT NULL ORDER BY id`,
    );
    const victim = random.pick(
      /** @type {Victim[]} */ (running)
        .map((row) => ({ ...row, token: Number(row.token) }))
        .filter(({ token }) => !expect.touchedTokens.has(token)),
    );
    if (victim === undefined) return;
    const chosen = random.pick(['deleted', 'inserted anew', ...Object.keys(MEDDLINGS)]) ?? '';
    // Before it is done: the sampler must not be quicker.
    expect.touchedTokens.add(victim.token);
    const meddling = MEDDLINGS[chosen];
    const wasRunning =
      meddling === undefined ? await this.#delete(victim, chosen) : await this.#update(victim, chosen, meddling);
    if (!wasRunning) return void expect.touchedTokens.delete(victim.token);
    expect.taken.push({ token: victim.token, runId: victim.runId });
    const { isTold = false, isLast = false, isAnew = false } = meddling ?? { isTold: true };
    if ((isTold || isLast) && !isAnew) this.#over.push({ ...victim, what: chosen, at: await this.#readClock() });
    this.#stage.faults.note(`a row that runs is ${chosen}`);
    if (meddling === undefined || meddling.isTold === true)
      this.#told.push({ id: victim.id, runId: victim.runId, what: chosen });
  }

  /**
   * @param {Victim} victim
   * @param {string} what
   * @param {Meddling} meddling
   */
  async #update({ id, runId }, what, { sql, isLast = false }) {
    const { affectedRows } = await this.#execute(
      `UPDATE background_jobs SET ${sql} WHERE id = ? AND run_id = ? AND status = 'running'`,
      [id, runId],
    );
    if (affectedRows === 1 && isLast) {
      const [row] = await this.#execute('SELECT * FROM background_jobs WHERE id = ?', [id]);
      this.#last.set(id, { what, row });
    }
    return affectedRows === 1;
  }

  /**
   * @param {Victim} victim
   * @param {string} what
   */
  async #delete({ id, token, type, runId }, what) {
    const { ledger, canary } = this.#stage;
    const anew = ledger.newToken();
    const payload = JSON.stringify({ token: anew, canary: `${canary}-${anew}`, ms: 50 });
    const answers = await this.#execute(
      `START TRANSACTION;
       DELETE FROM background_jobs WHERE id = ? AND run_id = ? AND status = 'running';
       SET @gone = ROW_COUNT();
       INSERT INTO background_jobs (id, job_type, payload) SELECT ?, ?, ? FROM DUAL WHERE @gone = 1 AND ?;
       COMMIT`,
      [id, runId, id, type, payload, what === 'inserted anew'],
    );
    if (answers[1].affectedRows === 0) return false;
    this.#deleted.push({ token, type, fate: 'deleted', ran: true });
    if (what === 'inserted anew') ledger.note([{ token: anew, type, fate: 'committed' }]);
    return true;
  }

  /** All rows go, and their ids are given anew; what they have written goes with them. */
  async truncate() {
    const { expect, faults } = this.#stage;
    const answers = await this.#execute(
      `LOCK TABLES background_jobs WRITE, background_job_errors WRITE, effects WRITE;
       SELECT id, JSON_VALUE(payload, '$.token') AS token, job_type AS type, status, run_id AS runId, attempts
         FROM background_jobs;
       DELETE FROM effects;
       DELETE FROM background_job_errors;
       TRUNCATE background_jobs;
       UNLOCK TABLES`,
    );
    /** @type {(Omit<Victim, 'token' | 'runId'> & { token: string, status: string, runId: number | null })[]} */
    const rows = answers[1];
    const at = await this.#readClock();
    for (const { id, type, status, runId, attempts, ...row } of rows) {
      const token = Number(row.token);
      const ran = status === 'running';
      const by = status === 'completed' && runId !== null ? { completedBy: runId } : {};
      this.#deleted.push({ token, type, fate: 'deleted', ran, ...by });
      if (!ran || runId === null) continue;
      expect.taken.push({ token, runId });
      this.#over.push({ token, runId, attempts, what: 'truncated', at });
      // What was meddled with before is told as that, or need not be.
      if (!expect.touchedTokens.has(token)) this.#told.push({ id, runId, what: 'truncated' });
    }
    this.#last.clear();
    faults.note('TRUNCATE');
  }

  async countRows() {
    const [row] = await this.#execute('SELECT COUNT(*) AS n FROM background_jobs');
    return Number(row.n);
  }

  /** What belongs to no run is nobody's but an operator's: it puts it back. */
  async finish() {
    for (const [id, { what, row }] of this.#last) {
      const [now] = await this.#execute('SELECT * FROM background_jobs WHERE id = ?', [id]);
      if (!isDeepStrictEqual(now, row)) this.#find(id, `it was ${what}, and somebody has written to it afterwards`);
    }
    await this.#execute(`UPDATE background_jobs SET status = 'pending' WHERE status = 'running' AND run_id IS NULL`);
  }

  /** Last of all: a producer may have told of its COMMIT only after the row was gone again. */
  noteDeleted() {
    this.#stage.ledger.note(this.#deleted.map(({ ran: _, ...entry }) => entry));
  }

  /** Each run has said what was taken from it, and none has written for a row that was not its own any more. */
  async judge() {
    /** @type {Map<number, number>} by the number of its process */
    const runOf = new Map();
    const said = new Set(
      readPrints(join(this.#stage.folder, 'runs')).flatMap(({ name, text }) => {
        const lines = text.split('\n');
        const started = lines.find((line) => line.includes('"run.started"'));
        runOf.set(Number.parseInt(name, 10), JSON.parse(started ?? '{}').run_id);
        return lines
          .filter((line) => line.includes('"job.taken_away"'))
          .map((line) => `${JSON.parse(started ?? '{}').run_id} ${JSON.parse(line).job_id}`);
      }),
    );
    for (const { id, runId, what } of this.#told)
      if (!said.has(`${runId} ${id}`)) this.#find(id, `it was ${what}, and its run ${runId} does not say so`);

    /** @type {{ id: number, token: string, result: string | null, type: string, status: string }[]} */
    const rows = await this.#execute(
      `SELECT id, JSON_VALUE(payload, '$.token') AS token, JSON_VALUE(result, '$.token') AS result, job_type AS type, status
       FROM background_jobs`,
    );
    const tokenOf = new Map(rows.map(({ id, token }) => [id, Number(token)]));
    const gone = new Set(this.#deleted.filter(({ ran }) => ran).map(({ token }) => token));
    /** @type {{ id: number, step: string, attempt: number, process: number, at: string }[]} */
    const effects = await this.#execute(
      `SELECT job_id AS id, step, attempt, process, CAST(at AS CHAR) AS at FROM effects WHERE step REGEXP '^(complete|save) .*[0-9]+$'`,
    );
    const overOf = new Map(this.#over.map((one) => [`${one.token} ${one.runId} ${one.attempts}`, one]));
    for (const { id, step, attempt, process, at } of effects) {
      const token = Number(step.split(' ').at(-1));
      // What a row has saved stays when it is deleted; what completes it cannot have been written while it ran.
      if (tokenOf.get(id) !== token && (step.startsWith('complete') || !gone.has(token)))
        this.#find(id, `"${step}" was written for a row that is gone`);
      const over = overOf.get(`${token} ${runOf.get(process)} ${attempt}`);
      if (over !== undefined && at > over.at)
        this.#find(id, `"${step}" was written at ${at}, and the row was ${over.what} before ${over.at}`);
    }
    const written = new Set(effects.map(({ id, step }) => `${id} ${step}`));
    for (const { id, token, type, status, result } of rows) {
      if (result !== null && result !== token) this.#find(id, `it has the result of token ${result}`);
      if (status !== 'completed' || this.#stage.expect.touchedTokens.has(Number(token))) continue;
      if (type === 'rows.result' && result === null) this.#find(id, 'completed without its result');
      if (type === 'rows.complete' && !written.has(`${id} complete ${token}`))
        this.#find(id, 'completed without its effect');
    }
  }

  /** What nobody has written yet is written later than this. */
  async #readClock() {
    const [{ at }] = await this.#execute('SELECT CAST(NOW(3) AS CHAR) AS at');
    return at;
  }

  /**
   * @param {number} id
   * @param {string} text
   */
  #find(id, text) {
    this.#stage.findings.push({ check: 'nothing is written to what is not its own', id, text });
  }

  /**
   * @param {string} sql
   * @param {unknown[]} [values]
   */
  #execute(sql, values) {
    return this.#stage.database.execute(sql, values);
  }
}
