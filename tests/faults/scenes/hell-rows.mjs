import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { createConnection } from 'mysql2/promise';
import { PROJECT } from '../../../scripts/project.mjs';
import { generateRows, PAUSED_QUEUE, SESSIONS } from '../generated-rows.mjs';
import { KINDS } from '../kinds.mjs';
import { requireLate, until } from '../stage/until.mjs';

const ROWS = { short: 800, long: 10_000 };

/** On two cores that others load, with a transaction for each row that is inserted. */
const DEADLINE_MS = 150_000;

/** As `retry` of jobs.cjs fails. */
const FAILURES = 2;
const USUAL_ATTEMPTS = 8;

/** A result that is larger, or has such a number, may be dropped: its job has completed all the same. */
const LARGEST_RESULT = 1_000_000;
const MAY_BE_ROUNDED = /\d{16}|\d[eE]/;

/** @type {import('./scene.mjs').Scene} */
export const scene = {
  name: 'hell-rows',
  title: 'rows of every shape that a producer may write, and of every other',
  async run(stage) {
    // How these end is up to the row; this scene looks itself.
    for (const type of [...Object.keys(KINDS), 'rows.echo'])
      stage.expect.kinds[type] = { ends: 'either', effects: KINDS[type]?.effects ?? [] };
    await stage.database.execute('INSERT INTO background_job_queues (queue, paused_at) VALUES (?, NOW(3))', [
      PAUSED_QUEUE,
    ]);
    stage.startFleet({ jobs: join(PROJECT, 'tests', 'faults', 'hell.cjs') });
    stage.startProducers({ mix: { noop: 3, 'effect.complete': 2 }, jobsPerSecond: 20 });
    const count = stage.isLong ? ROWS.long : ROWS.short;
    const rows = generateRows(count, stage.random.fork('rows').int(0, 2 ** 31 - 1), stage.canary);
    const taken = await insertAll(stage, rows);
    stage.say(`${rows.length} rows, ${rows.length - taken.size} of them refused by the server`);
    if (taken.size === 0 || taken.size === rows.length) throw new Error('the rows are not what they should be');

    const readOpen = async () => (await readRows(stage)).filter((row) => taken.has(row.id) && !isAtRest(row));
    await until('every row ends that may', async () => (await readOpen()).length === 0, {
      deadlineMs: DEADLINE_MS,
      everyMs: 500,
    }).catch(async (error) => {
      const { message } = requireLate(error);
      for (const { id, type, status, runAt } of (await readOpen()).slice(0, 5))
        stage.findings.push({ check: 'every row ends', id, text: `${type}: ${status}, due ${runAt}; ${message}` });
    });
    for (const row of await readRows(stage)) {
      if (isWaiting(row) && (row.attempts > 0 || row.crashes > 0 || row.lastError !== null))
        find(stage, row, `was not to run, and has ${row.attempts} attempts: ${row.lastError}`);
    }
    // Nobody knows these types, and nobody will.
    const strange = (await readRows(stage)).filter(({ isKnown }) => !isKnown);
    for (const { id } of strange) await stage.database.execute('DELETE FROM background_jobs WHERE id = ?', [id]);
    await stage.database.execute('UPDATE background_job_queues SET paused_at = NULL');
    // Whenever they may be due: their producers have said so.
    for (const { type } of await readRows(stage)) stage.expect.late.add(type);
    await stage.comeToRest();
    for (const row of await readRows(stage)) judge(stage, row);
  },
};

/**
 * @param {import('../stage/stage.mjs').Stage} stage
 * @param {readonly import('../generated-rows.mjs').GeneratedRow[]} rows
 * @returns {Promise<Set<number>>} the ids of those that the server has taken
 */
async function insertAll(stage, rows) {
  /** @type {Set<number>} */
  const taken = new Set();
  const insertOf = async (/** @type {(typeof SESSIONS)[number]} */ { name, charset, statement }) => {
    const connection = await createConnection({ uri: stage.database.url('producer'), charset });
    try {
      await connection.query(statement);
      for (const row of rows.filter(({ session }) => session === name)) {
        const id = await insertOne(connection, row);
        if (id === undefined) continue;
        taken.add(id);
        stage.faults.note('a row from hell');
      }
    } finally {
      connection.destroy();
    }
  };
  await Promise.all(SESSIONS.map(insertOf));
  return taken;
}

/**
 * @param {import('mysql2/promise').Connection} connection
 * @param {import('../generated-rows.mjs').GeneratedRow} row
 * @returns {Promise<number | undefined>} undefined: the server has refused it
 */
async function insertOne(connection, { type, payload, queue, priority, runAt, key, maxAttempts }) {
  const columns = Object.entries({
    job_type: type,
    payload,
    queue,
    priority,
    run_at: runAt,
    unique_key: key,
    max_attempts: maxAttempts,
  }).filter(([, value]) => value !== undefined);
  const places = columns.map(([, value]) => (isExpression(value) ? value.slice(1) : '?'));
  const values = columns.flatMap(([, value]) => (isExpression(value) ? [] : [value]));
  const sql = `INSERT INTO background_jobs (${columns.map(([name]) => name).join()}) VALUES (${places.join()})`;
  try {
    const [answer] = await connection.query(sql, values);
    return /** @type {import('mysql2/promise').ResultSetHeader} */ (answer).insertId;
  } catch (error) {
    // An error of the server's own has a state; whatever else goes wrong is the harness's.
    if (/** @type {{ sqlState?: string }} */ (error).sqlState === undefined) throw error;
    return undefined;
  }
}

/**
 * @param {unknown} value
 * @returns {value is string}
 */
const isExpression = (value) => typeof value === 'string' && value.startsWith('=');

/**
 * @typedef {object} Row
 * @property {number} id
 * @property {string} type
 * @property {string} status
 * @property {number} attempts
 * @property {number} crashes
 * @property {string} queue
 * @property {string | null} payload
 * @property {string | null} result
 * @property {number | null} maxAttempts
 * @property {string | null} lastError
 * @property {string} runAt
 * @property {number} isFuture
 * @property {boolean} isKnown
 */

/**
 * @param {import('../stage/stage.mjs').Stage} stage
 * @returns {Promise<Row[]>}
 */
async function readRows(stage) {
  const rows = await stage.database.execute(
    `SELECT id, job_type AS type, status, attempts, crashes, queue, payload, result, max_attempts AS maxAttempts,
            last_error AS lastError, CAST(run_at AS CHAR) AS runAt, run_at > NOW(3) + INTERVAL 1 DAY AS isFuture
     FROM background_jobs`,
  );
  return rows.map((/** @type {Row} */ row) => ({
    ...row,
    isKnown: Object.hasOwn(stage.expect.kinds, trimmed(row.type)),
  }));
}

/** Trailing spaces do not count, for the server. @param {string} text */
const trimmed = (text) => text.replace(/ +$/, '');

/** It is not to run yet, or never. @param {Row} row */
const isWaiting = ({ isKnown, isFuture, queue }) => !isKnown || isFuture === 1 || trimmed(queue) === PAUSED_QUEUE;

/** @param {Row} row */
const isAtRest = (row) =>
  row.status === 'completed' || row.status === 'failed' || (row.status === 'pending' && isWaiting(row));

/**
 * @param {import('../stage/stage.mjs').Stage} stage
 * @param {Row} row
 * @param {string} text
 */
const find = (stage, { id, type }, text) =>
  stage.findings.push({ check: 'each row ends as it is to', id, text: `${JSON.stringify(type)}: ${text}` });

/**
 * @param {import('../stage/stage.mjs').Stage} stage
 * @param {Row} row
 */
function judge(stage, row) {
  const { type, status, attempts, payload, result, lastError, maxAttempts } = row;
  if (!isJson(payload)) {
    if (status !== 'failed' || attempts !== 1 || !/^payload refused: .*the text is no JSON$/.test(lastError ?? ''))
      find(stage, row, `its payload is no JSON, and it has ${status}: ${lastError}`);
    return;
  }
  const kind = trimmed(type);
  if (kind === 'retry') {
    const most = Math.max(1, maxAttempts ?? USUAL_ATTEMPTS);
    const [ends, made] = most > FAILURES ? ['completed', FAILURES + 1] : ['failed', most];
    if (status !== ends || attempts !== made) find(stage, row, `${status} after ${attempts} of ${most} attempts`);
    return;
  }
  if (kind === 'fail' ? status !== 'failed' : status !== 'completed') find(stage, row, `${status}: ${lastError}`);
  if (kind !== 'rows.echo' || status !== 'completed') return;
  if (result === null) {
    if (payload !== null && payload.length <= LARGEST_RESULT / 2 && !MAY_BE_ROUNDED.test(payload))
      find(stage, row, 'it has no result');
  } else if (!isDeepStrictEqual(exactly(payload ?? '{}'), exactly(result))) find(stage, row, 'its result is another');
}

/** @param {string | null} text */
function isJson(text) {
  try {
    JSON.parse(text ?? 'null');
    return true;
  } catch {
    return false;
  }
}

/**
 * A JSON text to be compared: integers that a double cannot hold are kept as text; null, with which the function is not
 * called, is {}.
 *
 * @param {string} text
 */
function exactly(text) {
  const kept = text.replaceAll(/("(?:[^"\\]|\\.)*")|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)/g, (found, string) => {
    if (string !== undefined) return string;
    const number = Number(found);
    if (!Number.isFinite(number)) return 'null';
    return /^-?\d+$/.test(found) && !Number.isSafeInteger(number) ? `"${found}"` : String(number === 0 ? 0 : number);
  });
  return JSON.parse(kept, (_, value) => (typeof value === 'string' ? value.toWellFormed() : value)) ?? {};
}
