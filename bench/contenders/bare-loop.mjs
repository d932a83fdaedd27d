import { createPool } from 'mysql2/promise';
import { driverOptions, IDS_AT_MOST, sessionStatements, text } from './built.mjs';
import { countOne } from './handled.mjs';
import { contender as rowlock } from './rowlock.mjs';

/** As many as Rowlock takes at once. */
const BATCH = IDS_AT_MOST;

/** A deadlock, or a lock that was waited for too long: the transaction is done again, as Rowlock does. */
const CONFLICTS = [1213, 1205];

const LEASE_MS = 60_000;

/**
 * The limit: Rowlock's very statements, as its files have them, in its transactions and on its sessions, with its
 * batches and a cursor; no functions, no lease, no checks. Claims and settles overlap on two connections, as Rowlock's do:
 * one after the other made 17,500 jobs/s, and so 25,500.
 *
 * @param {string} url
 */
async function work(url) {
  const { hostname, port, username, password, pathname } = new URL(url);
  const settings = {
    host: hostname,
    port: Number(port),
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    database: pathname.slice(1),
  };
  const pool = createPool({ ...driverOptions(settings), connectionLimit: 2 });
  pool.pool.on('connection', (connection) => {
    for (const statement of sessionStatements(LEASE_MS)) connection.query(statement);
  });
  const runId = Math.floor(Math.random() * Number.MAX_SAFE_INTEGER);
  await send(pool, 'insert_run', {
    runId,
    host: `bare-${process.pid}`,
    pid: process.pid,
    selection: '',
    leaseMs: LEASE_MS * 60,
  });

  const cursor = { afterRunAt: new Date(1000), afterId: 0 };
  /** @type {Promise<void>} */
  let settled = Promise.resolve();
  for (;;) {
    const jobs = await claim(pool, runId, cursor);
    if (jobs.length === 0) break;
    await settled;
    settled = settle(pool, runId, jobs);
  }
  await settled;
  await pool.end();
}

/** @typedef {{ id: number, attempts: number, runAt: Date }} Claimed */

/**
 * @param {import('mysql2/promise').Pool} pool
 * @param {number} runId
 * @param {{ afterRunAt: Date, afterId: number }} cursor moved behind what is claimed
 */
async function claim(pool, runId, cursor) {
  const claimed = await within(pool, async (tx) => {
    const [rows] = await send(tx, 'claim_lane', {
      queue: 'default',
      priority: 0,
      limit: BATCH,
      ...cursor,
    });
    const jobs = /** @type {Claimed[]} */ (/** @type {unknown} */ (rows));
    if (jobs.length === 0) return jobs;
    await send(tx, 'mark_claimed', { runId, ids: jobs.map(({ id }) => id) });
    await send(tx, 'count_claimed', { runId, count: jobs.length });
    return jobs;
  });
  // Only now: what a conflict rolls back is to be found again.
  const last = claimed.at(-1);
  if (last !== undefined) Object.assign(cursor, { afterRunAt: last.runAt, afterId: last.id });
  return claimed;
}

/**
 * @param {import('mysql2/promise').Pool} pool
 * @param {number} runId
 * @param {Claimed[]} jobs
 */
async function settle(pool, runId, jobs) {
  for (const _ of jobs) countOne();
  await within(pool, async (tx) => {
    await send(tx, 'complete_jobs', { runId, attempts: 1, ids: jobs.map(({ id }) => id) });
    await send(tx, 'count_outcomes', {
      runId,
      completed: jobs.length,
      retried: 0,
      failed: 0,
      released: 0,
    });
  });
}

/**
 * @param {Pick<import('mysql2/promise').Pool, 'query'>} on
 * @param {string} name
 * @param {{ [name: string]: string | number | Date | number[] }} values
 */
const send = (on, name, values) => on.query(text(name), values);

/**
 * @template T
 * @param {import('mysql2/promise').Pool} pool
 * @param {(tx: import('mysql2/promise').PoolConnection) => Promise<T>} body
 */
async function within(pool, body) {
  const tx = await pool.getConnection();
  try {
    for (;;) {
      try {
        await tx.query('START TRANSACTION');
        const value = await body(tx);
        await tx.query('COMMIT');
        return value;
      } catch (error) {
        if (!CONFLICTS.includes(/** @type {{ errno?: number }} */ (error).errno ?? 0)) throw error;
        await tx.query('ROLLBACK');
      }
    }
  } finally {
    tx.release();
  }
}

/** @type {import('./contender.mjs').Contender} */
export const contender = { ...rowlock, work };
