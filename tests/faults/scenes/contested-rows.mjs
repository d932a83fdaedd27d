import { setTimeout as pause } from 'node:timers/promises';
import { findBrokenRuns } from '../stage/broken-runs.mjs';
import { steadyNow } from '../stage/clock.mjs';
import { Late, until } from '../stage/until.mjs';

/** Others at once. */
const OTHERS = 4;

const GAP_MS = { from: 20, to: 400 };

/** How long somebody else keeps his locks: now and then for longer than a worker waits, twice 3 s. */
const HOLDS_MS = { short: { from: 20, to: 800 }, long: { from: 7_000, to: 9_000 } };

/** It goes on for so much longer, at most, until there was a deadlock: on a machine with much to do few come by in five seconds. */
const DEADLOCK_WITHIN_MS = 30_000;

/** A snapshot keeps what was purged from being so. A long form would otherwise grow slower and slower by that alone. */
const SNAPSHOT_MS = 20_000;

/** More rows than a worker changes in one transaction. */
const HEAVY = 2_000;

const DEADLOCK = 1213;
const LOCK_WAIT_TIMEOUT = 1205;
const DUPLICATE = 1062;

/** @typedef {import('../stage/stage.mjs').Stage} Stage */
/** @typedef {import('../seeded.mjs').Seeded} Seeded */
/** @typedef {import('mysql2/promise').Connection} Connection */
/** @typedef {{ stage: Stage, on: Connection, random: Seeded, isStubborn: boolean }} Other */

/** @type {import('./scene.mjs').Scene} */
export const scene = {
  name: 'contested-rows',
  title: 'others lock, update and delete the same rows, leave a duplicate unique_key open, and hold a snapshot',
  async run(stage) {
    // Nothing here is about leases: on a machine that is short of time none is to end.
    stage.leaseMs = 15_000;
    const random = stage.random.fork('others');
    stage.startFleet();
    stage.startProducers({
      mix: { noop: 6, result: 3, slow: 1, keyed: 6, 'effect.complete': 4, 'effect.save': 4, retry: 1, fail: 0.2 },
      jobsPerSecond: 150,
      keyed: 0.4,
      payloadOf: (type, choice) => (/^(effect|keyed)/.test(type) ? { ms: choice.int(0, 150) } : {}),
    });
    await stage.database.execute('CREATE TABLE heavy (n INT NOT NULL) ENGINE = InnoDB');
    const before = await readLockCounts(stage);
    let isOver = false;
    let hasDeadlock = false;
    const latest = steadyNow() + stage.seconds * 1000 + DEADLOCK_WITHIN_MS;
    const stillTime = () => !isOver && (stage.hasTime || (!hasDeadlock && steadyNow() < latest));
    const others = Array.from({ length: OTHERS }, (_, number) =>
      contest({ stage, random: random.fork(`other ${number}`), isStubborn: number === 0 }, stillTime),
    );
    const look = async () => {
      while (stillTime() && !hasDeadlock) {
        await pause(500);
        hasDeadlock = (await readLockCounts(stage)).deadlocks > before.deadlocks;
      }
    };
    const work = Promise.all([...others, holdSnapshots(stage, stillTime), look()]);
    await work.finally(() => {
      isOver = true;
    });
    await stage.comeToRest();
    await findBrokenRuns(stage);
    const { waits, deadlocks } = await readLockCounts(stage);
    stage.say(`${waits - before.waits} lock waits, ${deadlocks - before.deadlocks} deadlocks`);
    if (waits === before.waits) throw new Error('nobody has waited for a lock: it has shown nothing');
    if (deadlocks === before.deadlocks) throw new Error('there was no deadlock: it has shown too little');
  },
};

/**
 * One other client, transaction after transaction.
 *
 * @param {Omit<Other, 'on'>} other
 * @param {() => boolean} stillTime
 */
async function contest({ stage, random, isStubborn }, stillTime) {
  const on = await stage.server.connect();
  stage.atEnd(() => on.destroy());
  const deeds = [
    updateRows,
    updateRows,
    deleteRows,
    deleteRows,
    readPending,
    leaveDuplicateOpen,
    crossSettle,
    crossSettle,
  ];
  for (let turn = 1; stillTime(); turn++) {
    // Of its own: how many rows one turn found does not change what the next one does.
    const own = random.fork(`turn ${turn}`);
    await pause(own.int(GAP_MS.from, GAP_MS.to));
    const deed = own.pick(deeds) ?? updateRows;
    try {
      await on.query('START TRANSACTION');
      await deed({ stage, on, random: own, isStubborn });
    } catch (error) {
      const { errno = 0 } = /** @type {{ errno?: number }} */ (error);
      if (errno !== DEADLOCK && errno !== LOCK_WAIT_TIMEOUT) throw error;
      stage.faults.note(errno === DEADLOCK ? 'a deadlock that the other client lost' : 'a lock that it waited for');
      await on.query('ROLLBACK');
    }
  }
}

/** @param {Other} other */
async function hold({ random, isStubborn }) {
  const { from, to } = isStubborn || random.chance(0.05) ? HOLDS_MS.long : HOLDS_MS.short;
  await pause(random.int(from, to));
}

/**
 * Some rows that are to be claimed or settled soon, in no order: whoever locks by the primary key meets it crosswise.
 *
 * @param {Other} other
 * @returns {Promise<{ id: number, status: string, type: string, token: number, uniqueKey: string | null, runId: number | null, attempts: number }[]>}
 */
async function findRows({ on, random }, condition = `status IN ('pending', 'running')`) {
  const [rows] = await on.query(
    `SELECT id, status, job_type AS type, JSON_UNQUOTE(JSON_EXTRACT(payload, '$.token')) AS token,
            unique_key AS uniqueKey, run_id AS runId, attempts
     FROM background_jobs WHERE ${condition} ORDER BY id DESC LIMIT 200`,
  );
  const all = /** @type {any[]} */ (rows).map((row) => ({ ...row, token: Number(row.token) }));
  const choice = random.fork('rows');
  const count = choice.int(1, 20);
  return choice.shuffle(all).slice(0, count);
}

/**
 * Another priority is any app's to give, and harms nothing. One row after the other: that is what makes deadlocks.
 *
 * @param {Other} other
 */
async function updateRows(other) {
  const { stage, on, random } = other;
  const rows = await findRows(other);
  for (const { id } of rows)
    await on.query('UPDATE background_jobs SET priority = ? WHERE id = ?', [random.int(0, 2), id]);
  if (rows.length > 0) stage.faults.note('rows updated', heldOf(rows));
  await hold(other);
  await on.query(random.chance(0.5) ? 'COMMIT' : 'ROLLBACK');
}

/**
 * Rows that no run has claimed are deleted for good. Of any others the deletion is undone: they are there again as if
 * nothing had been, and whoever waited for them goes on.
 *
 * @param {Other} other
 */
async function deleteRows(other) {
  const { stage, on, random } = other;
  const isForGood = random.chance(0.3);
  const rows = await findRows(other, isForGood ? `status = 'pending' AND run_id IS NULL` : undefined);
  const locked = [];
  for (const row of rows) {
    const [answer] = await on.query(
      `DELETE FROM background_jobs WHERE id = ?${isForGood ? ' AND run_id IS NULL' : ''}`,
      [row.id],
    );
    if (/** @type {import('mysql2').ResultSetHeader} */ (answer).affectedRows > 0) locked.push(row);
  }
  if (locked.length > 0) stage.faults.note('rows deleted', isForGood ? [] : heldOf(locked));
  await hold(other);
  await on.query(isForGood ? 'COMMIT' : 'ROLLBACK');
  if (isForGood) stage.ledger.note(locked.map(({ token, type }) => ({ token, type, fate: 'withdrawn' })));
}

/**
 * What a home-made worker does: in REPEATABLE READ it locks the entries of the index that it reads, and the gaps between
 * them, where producers insert.
 *
 * @param {Other} other
 */
async function readPending(other) {
  const { stage, on, random } = other;
  await on.query(`SELECT id FROM background_jobs WHERE status = 'pending' ORDER BY id LIMIT ? FOR UPDATE`, [
    random.int(1, 30),
  ]);
  stage.faults.note('pending rows locked, with the gaps between them');
  await hold(other);
  await on.query('ROLLBACK');
}

/**
 * A producer inserts a key that is there, hears of it, and leaves its transaction open: it holds the key's entry, which a
 * job that frees its key has to change.
 *
 * @param {Other} other
 */
async function leaveDuplicateOpen(other) {
  const { stage, on, random } = other;
  const [row] = await findRows(
    other,
    `status IN ('pending', 'running') AND job_type = 'keyed' AND unique_key IS NOT NULL`,
  );
  if (row === undefined) return void (await on.query('ROLLBACK'));
  const token = stage.ledger.newToken();
  // In the ledger before it is in the table.
  stage.ledger.note([{ token, type: 'keyed', fate: 'rolled back' }]);
  let isThere = false;
  try {
    await on.query('INSERT INTO background_jobs (job_type, payload, unique_key) VALUES (?, ?, ?)', [
      'keyed',
      JSON.stringify({ token, canary: `${stage.canary}-${token}` }),
      row.uniqueKey,
    ]);
    isThere = true;
  } catch (error) {
    if (/** @type {{ errno?: number }} */ (error).errno !== DUPLICATE) throw error;
  }
  stage.faults.note(isThere ? 'an open insert of a key that was freed' : 'a duplicate key left open', heldOf([row]));
  await hold(other);
  // Not only what was refused is left: the key may have become free just before.
  const isKept = isThere && random.chance(0.5);
  await on.query(isKept ? 'COMMIT' : 'ROLLBACK');
  if (isKept) stage.ledger.note([{ token, type: 'keyed', fate: 'committed' }]);
}

/**
 * Takes the later one of two rows of one run, waits until somebody waits, which is its settling, and asks for the earlier
 * one: a deadlock, unless it has ended in between.
 *
 * @param {Other} other
 */
async function crossSettle(other) {
  const { stage, on } = other;
  // A deadlock is lost by whoever has changed less: this is to be the worker.
  await on.query(`INSERT INTO heavy VALUES ${Array(HEAVY).fill('(1)').join()}`);
  const rows = await findRows(other, `status = 'running'`);
  const [first, ...others] = rows.sort((a, b) => a.id - b.id);
  const last = others.findLast(({ runId }) => runId === first?.runId);
  if (first === undefined || last === undefined) return void (await on.query('ROLLBACK'));
  await on.query('SELECT id FROM background_jobs WHERE id = ? FOR UPDATE', [last.id]);
  const before = (await readLockCounts(stage)).waits;
  const haveWaited = async () => (await readLockCounts(stage)).waits > before;
  await until('somebody waits for it', haveWaited, { deadlineMs: 1_000 }).catch((error) => {
    if (!(error instanceof Late)) throw error;
  });
  stage.faults.note('two rows of one run locked crosswise', heldOf([first, last]));
  await on.query('SELECT id FROM background_jobs WHERE id = ? FOR UPDATE', [first.id]);
  await on.query('ROLLBACK');
}

/**
 * @param {{ id: number, status: string, runId: number | null, attempts: number }[]} rows
 * @returns {import('../stage/faults.mjs').Held[]}
 */
const heldOf = (rows) => rows.filter(({ status }) => status === 'running');

/**
 * A dump, a report: with its snapshot open nothing that has been claimed leaves the index.
 *
 * @param {Stage} stage
 * @param {() => boolean} stillTime
 */
async function holdSnapshots(stage, stillTime) {
  const on = await stage.server.connect();
  stage.atEnd(() => on.destroy());
  while (stillTime()) {
    await on.query('START TRANSACTION WITH CONSISTENT SNAPSHOT');
    stage.faults.note('a snapshot held');
    const end = performance.now() + SNAPSHOT_MS;
    while (stillTime() && performance.now() < end) await pause(200);
    await on.query('ROLLBACK');
  }
}

/** @param {Stage} stage */
async function readLockCounts({ database, server }) {
  const rows = await database.execute(
    `SHOW GLOBAL STATUS WHERE Variable_name IN ('Innodb_row_lock_waits', 'Innodb_deadlocks')`,
  );
  /** @param {string} name */
  const countOf = (name) => Number(rows.find((/** @type {any} */ row) => row.Variable_name === name)?.Value ?? 0);
  const waits = countOf('Innodb_row_lock_waits');
  if (server.isMariaDB) return { waits, deadlocks: countOf('Innodb_deadlocks') };
  const [row] = await database.execute(
    `SELECT count FROM information_schema.innodb_metrics WHERE name = 'lock_deadlocks'`,
  );
  return { waits, deadlocks: Number(row?.count ?? 0) };
}
