import { setTimeout as pause } from 'node:timers/promises';

/** @typedef {Pick<import('mysql2/promise').Pool, 'query'>} Session */

/** Transactions that a server at rest may leave unpurged. */
const FEW = 20;
const LOOK_EVERY_MS = 100;
/** MySQL at rest may keep some hundred: what has not grown less for this long will not soon. */
const UNCHANGED_MS = 1_000;
const LONGEST_WAIT_MS = 20_000;

/**
 * The server's counters so far, of all its sessions.
 *
 * @param {Session} connection
 * @param {'GLOBAL' | 'SESSION'} [scope]
 * @returns {Promise<Record<string, number>>}
 */
async function readCounters(connection, scope = 'GLOBAL') {
  const [rows] = await connection.query(
    `SHOW ${scope} STATUS WHERE Variable_name IN ('Questions', 'Com_commit') OR Variable_name LIKE 'Handler\\_read\\_%'`,
  );
  const all = /** @type {{ Variable_name: string, Value: string }[]} */ (rows);
  /** @type {Record<string, number>} */
  const counters = { entriesRead: 0 };
  for (const { Variable_name: name, Value: value } of all) {
    if (name.startsWith('Handler_read_')) counters['entriesRead'] = (counters['entriesRead'] ?? 0) + Number(value);
    else counters[name] = Number(value);
  }
  return counters;
}

/**
 * By how much the counters grow while the work is done, less what reading them costs. Global ones tell of the work
 * alone only if nothing else runs on the server.
 *
 * @param {Session} connection
 * @param {() => Promise<unknown>} work
 * @param {'GLOBAL' | 'SESSION'} [scope]
 * @returns {Promise<Record<string, number>>}
 */
export async function countDuring(connection, work, scope = 'GLOBAL') {
  const first = await readCounters(connection, scope);
  const before = await readCounters(connection, scope);
  await work();
  const after = await readCounters(connection, scope);
  /** @param {string} name */
  const growth = (name) => {
    const reading = (before[name] ?? 0) - (first[name] ?? 0);
    return (after[name] ?? 0) - (before[name] ?? 0) - reading;
  };
  return Object.fromEntries(Object.keys(after).map((name) => [name, growth(name)]));
}

/**
 * Until the server has purged what ended transactions left, so that no state of the table pays for the one before it.
 *
 * @param {Session} connection
 */
export async function waitForPurge(connection) {
  const end = performance.now() + LONGEST_WAIT_MS;
  let least = Number.POSITIVE_INFINITY;
  let leastAt = performance.now();
  for (;;) {
    const [rows] = await connection.query(
      "SELECT `COUNT` AS length FROM information_schema.INNODB_METRICS WHERE NAME = 'trx_rseg_history_len'",
    );
    const length = Number(/** @type {{ length: number }[]} */ (rows)[0]?.length);
    const now = performance.now();
    if (length < least) {
      least = length;
      leastAt = now;
    }
    if (length <= FEW || now > end || now - leastAt > UNCHANGED_MS) return;
    await pause(LOOK_EVERY_MS);
  }
}
