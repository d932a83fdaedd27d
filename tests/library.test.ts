import { inspect } from 'node:util';
import { createConnection as createCallbackConnection, createPool as createCallbackPool } from 'mysql2';
import { type Connection, createConnection, createPool, type Pool, type PoolOptions } from 'mysql2/promise';
import { z } from 'zod';
import {
  ConfigError,
  createQueue,
  DuplicateJobError,
  defineJob,
  type MysqlClient,
  type Queue,
  UnfitJobError,
} from '../src';
import { GuardedTx } from '../src/worker/guarded-tx';
import { createDatabase, type TestDatabase } from './support/database';
import { insertJob, insertRow, readClock } from './support/rows';
import { openQueuePool } from './support/tables';

let db: TestDatabase;
let queue: Queue;

const closing: { end(): unknown }[] = [];

beforeAll(async () => {
  db = await createDatabase();
  queue = createQueue(db.pool);
});

afterAll(async () => {
  for (const each of closing) await each.end();
});

const remember = <T extends { end(): unknown }>(each: T): T => {
  closing.push(each);
  return each;
};

const connect = async (): Promise<Connection> => remember(await createConnection({ uri: db.url }));

/** All that a quote, a charset, a placeholder or a parser could change on its way. */
const PAYLOAD = {
  text: `?'"\\ :length :id \n \u0000 😀 é \\' \`$&`,
  'a:b': ['?', '1'],

  big: 18_446_744_073_709_551_615n,
  n: 1.5,
};
const PLAIN = { a: ':length', ':id': '@b' };
const AT = new Date('2027-10-31T01:30:00.123Z');

describe('whatever the options of the pool', () => {
  const shout = () => 'X';
  const broken = (sql: string, values: unknown) =>
    sql.replace(/:(\w+)|\?/g, (found, name: string) => (Object.hasOwn(Object(values), name) ? 'X' : found));
  const usual = (sql: string, values: Record<string, unknown> | null) =>
    values
      ? sql.replace(/:(\w+)/g, (found, name: string) =>
          Object.hasOwn(values, name) ? JSON.stringify(values[name]) : found,
        )
      : sql;
  const options: [string, PoolOptions][] = [
    ['none', {}],
    ['named placeholders', { namedPlaceholders: true }],
    ['big numbers as strings', { supportBigNumbers: true, bigNumberStrings: true, decimalNumbers: true }],
    ['times as strings, in another zone', { dateStrings: true, timezone: '+09:00' }],
    ['a typeCast', { typeCast: shout }],
    ['no typeCast', { typeCast: false }],
    ['rows as arrays', { rowsAsArray: true, jsonStrings: true }],
    ['nested tables', { nestTables: true }],
    ['objects as strings', { stringifyObjects: true, multipleStatements: true }],
    ['a queryFormat', { queryFormat: broken }],
    ['the queryFormat of many manuals', { queryFormat: usual }],
    ['another charset', { charset: 'latin1' }],
    ['changed rows counted', { flags: ['-FOUND_ROWS'] }],
  ];

  test.each(options)('%s', async (_, given) => {
    const pool = remember(createPool({ uri: db.url, connectionLimit: 2, ...given }));
    await exercise(createQueue(pool), given.charset === 'latin1' ? 'latin1' : 'all');
  });

  test('the callback API', async () => {
    await exercise(createQueue(remember(createCallbackPool({ uri: db.url, connectionLimit: 2 }))));
    await exercise(createQueue(remember(createCallbackConnection({ uri: db.url }))));
  });

  test('a URL, with a pool of its own', async () => {
    await using own = createQueue(db.url);
    await exercise(own);
    const other = createQueue(new URL(db.url), { connections: 1 });
    await expect(other.list({ limit: 1 })).resolves.toHaveLength(1);
    await Promise.all([other.close(), other.close()]);
    await expect(other.list()).rejects.toThrow(/closed/i);
  });
});

/**
 * Every call once, with what was stored compared by a plain client.
 *
 * @param reads what the session's charset lets through on the way back
 */
async function exercise(on: Queue, reads: 'all' | 'latin1' = 'all'): Promise<void> {
  const begun = await readClock(db);
  const id = await on.enqueue({
    type: 'test.echo',
    payload: PAYLOAD,
    runAt: AT,
    queue: 'slöw',
    uniqueKey: `🔑${Math.random()}`,
  });
  const [[row]] = (await db.pool.query(
    `SELECT HEX(queue) AS queue, HEX(unique_key) AS uniqueKey, CAST(UNIX_TIMESTAMP(run_at) * 1000 AS SIGNED) AS runAt FROM background_jobs WHERE id = ?`,
    [id],
  )) as unknown as [[{ queue: string; uniqueKey: string; runAt: number }]];
  expect({ ...row, uniqueKey: row.uniqueKey.slice(0, 8) }).toEqual({
    queue: Buffer.from('slöw').toString('hex').toUpperCase(),
    uniqueKey: 'F09F9491',
    runAt: AT.getTime(),
  });

  expect((await queue.get(id))?.payload).toEqual(PAYLOAD);
  const job = await on.get(id);
  const expected = { id, type: 'test.echo', status: 'pending', runAt: AT, attempts: 0, result: null };
  expect(job).toMatchObject(reads === 'all' ? { ...expected, payload: PAYLOAD } : expected);
  const plain = await on.enqueue({ type: 'test.echo', payload: PLAIN }); // written as it is, where the other is in hexadecimal
  expect((await queue.get(plain))?.payload).toEqual(PLAIN);
  const read = await readClock(db);
  expect(job?.createdAt.getTime()).toBeGreaterThanOrEqual(begun);
  expect(job?.createdAt.getTime()).toBeLessThanOrEqual(read);

  const ids = await on.enqueueMany([{ type: 'test.echo', delay: '1h' }, { type: 'test.echo' }]);
  expect(ids).toHaveLength(2);
  const [later, soon] = await Promise.all(ids.map((each) => on.get(each)));
  const ms = (later?.runAt.getTime() ?? 0) - (soon?.runAt.getTime() ?? 0);
  expect(ms).toBe(3_600_000);

  const [newest] = await on.list({ type: 'test.echo', limit: 1 });
  expect(newest).toMatchObject({ id: ids[1], status: 'pending' });
  const { now, ok, verdict, queues } = await on.status('default');
  expect({ ok, verdict }).toEqual({ ok: false, verdict: expect.stringMatching(/^NOT OK: no run yet/) });
  expect(now.getTime()).toBeGreaterThanOrEqual(read);
  expect(now.getTime()).toBeLessThanOrEqual(await readClock(db));
  expect(queues.find((each) => each.queue === 'default')?.later).toEqual(expect.any(Number));

  expect(await on.cancel(ids)).toEqual(ids.map((each) => ({ id: each, how: 'cancelled', status: 'pending' })));
  expect(await on.get(ids[0] ?? 0)).toMatchObject({
    status: 'failed',
    lastError: 'cancelled',
    cancelledAt: expect.any(Date),
  });
  expect(await on.retry([...ids, 4_000_000_000])).toEqual([
    ...ids.map((each) => ({ id: each, how: 'retried', status: 'failed' })),
    { id: 4_000_000_000, how: 'unknown' },
  ]);
  expect(await on.retry(id)).toEqual([{ id, how: 'left', status: 'pending' }]);
}

describe('whatever the session is set to', () => {
  const zones = ['SYSTEM', '+05:45', '-11:00', 'Europe/Berlin'];
  test.each(zones)('the time zone %s', async (zone) => {
    const connection = await connect();
    const isKnown = await connection.query('SET time_zone = ?', [zone]).then(
      () => true,
      () => false, // the server has no zones by name
    );
    if (!isKnown) return expect(zone).toBe('Europe/Berlin');
    await exercise(createQueue(connection));
    // In Berlin each of these is 02:30 by the clock on the wall; the second is the next hour.
    for (const at of ['2027-10-31T00:30:00.250Z', '2027-10-31T01:30:00.250Z', '2027-03-28T01:30:00.250Z']) {
      const id = await createQueue(connection).enqueue({ type: 'test.echo', runAt: new Date(at) });
      expect((await queue.get(id))?.runAt.toISOString()).toBe(at);
      expect((await createQueue(connection).get(id))?.runAt.toISOString()).toBe(at);
    }
    expect(await readSession(connection)).toMatchObject({ zone });
  });

  test.each(['', 'ANSI,NO_BACKSLASH_ESCAPES', 'ONLY_FULL_GROUP_BY,STRICT_ALL_TABLES'])(
    'the sql_mode "%s"',
    async (mode) => {
      const connection = await connect();
      await connection.query('SET sql_mode = ?', [mode]);
      const before = await readSession(connection);
      await exercise(createQueue(connection));
      expect(await readSession(connection)).toEqual(before);
    },
  );

  test('its isolation, autocommit and charset stay as they are', async () => {
    const connection = await connect();
    await connection.query('SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE');
    await connection.query('SET NAMES latin1');
    const before = await readSession(connection);
    await exercise(createQueue(connection), 'latin1');
    expect(await readSession(connection)).toEqual(before);
  });
});

test.each(['latin1', 'sjis', 'utf8mb4'])('JSON is read in the charset %s', async (charset) => {
  const connection = await connect();
  await connection.query(`SET NAMES ${charset}`);
  const text = { latin1: 'é', sjis: '日本', utf8mb4: '😀' }[charset];
  const json = JSON.stringify({ text });
  const id = await insertJob(db, { payload: json, checkpoint: json, result: json });
  expect(await createQueue(connection).get(id)).toMatchObject({
    payload: { text },
    checkpoint: { text },
    result: { text },
  });
});

async function readSession(connection: Connection): Promise<Record<string, unknown>> {
  const [rows] = await connection.query(
    `SELECT @@SESSION.time_zone AS zone, @@SESSION.sql_mode AS mode, @@SESSION.autocommit AS autocommit,
       @@SESSION.character_set_client AS charset, @@SESSION.innodb_lock_wait_timeout AS patience`,
  );
  const [level] = await connection.query(
    "SHOW VARIABLES WHERE Variable_name IN ('transaction_isolation', 'tx_isolation')",
  );
  return { ...(rows as Record<string, unknown>[])[0], level };
}

describe('inside the transaction of the caller', () => {
  let connection: Connection;

  beforeEach(async () => {
    connection = await connect();
    await connection.query('START TRANSACTION');
    await connection.query(
      "INSERT INTO background_job_queues (queue, paused_at) VALUES ('mine', NOW(3)) ON DUPLICATE KEY UPDATE paused_at = NOW(3)",
    );
  });

  afterEach(() => connection.query('ROLLBACK'));

  const isMineThere = async () => (await queue.status('mine')).queues[0]?.pausedAt !== null;

  test('what is enqueued is there when it commits, and not before', async () => {
    const id = await queue.enqueue({ type: 'test.echo' }, { on: connection });
    const ids = await queue.enqueueMany([{ type: 'test.echo' }, { type: 'test.echo' }], { on: connection });
    expect(await Promise.all([id, ...ids].map((each) => queue.get(each)))).toEqual([undefined, undefined, undefined]);
    expect(await queue.get(id, { on: connection })).toMatchObject({ id });
    await connection.query('COMMIT');
    expect(await Promise.all([id, ...ids].map((each) => queue.get(each)))).toMatchObject([
      { id },
      { id: ids[0] },
      { id: ids[1] },
    ]);
    await db.pool.query("DELETE FROM background_job_queues WHERE queue = 'mine'");
  });

  test('nothing stays when it is undone, not even of a retry or a cancellation', async () => {
    const dead = await insertJob(db, { status: 'failed' });
    const waiting = await insertJob(db);
    const id = await queue.enqueue({ type: 'test.echo' }, { on: connection });
    await queue.enqueueMany([{ type: 'test.echo' }], { on: connection });
    await queue.retry(dead, { on: connection });
    await queue.cancel(waiting, { on: connection });
    await createQueue(connection).cancel(id);
    expect(await queue.get(dead, { on: connection })).toMatchObject({ status: 'pending' });
    expect(await isMineThere()).toBe(false);
    await connection.query('ROLLBACK');
    expect(await queue.get(id)).toBeUndefined();
    expect([await queue.get(dead), await queue.get(waiting)]).toMatchObject([
      { status: 'failed' },
      { status: 'pending' },
    ]);
  });

  test('a duplicate undoes its own statement, and the transaction goes on', async () => {
    const job = { type: 'test.echo', uniqueKey: 'once' };
    const first = await queue.enqueue(job, { on: connection });
    const error: unknown = await queue.enqueue(job, { on: connection }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(DuplicateJobError);
    expect(error).toMatchObject({ code: 'ROWLOCK_DUPLICATE_JOB', message: expect.stringContaining('"once"') });
    await connection.query('COMMIT');
    expect(await queue.get(first)).toMatchObject({ uniqueKey: 'once' });
    expect(await isMineThere()).toBe(true);
    await db.pool.query("DELETE FROM background_job_queues WHERE queue = 'mine'");
  });

  test('of many jobs none stays when one is a duplicate, and the transaction goes on', async () => {
    await queue.enqueue({ type: 'test.part', uniqueKey: 'there' });
    const jobs = [...Array(600).fill({ type: 'test.part' }), { type: 'test.part', uniqueKey: 'there' }];
    await expect(queue.enqueueMany(jobs, { on: connection })).rejects.toThrow(DuplicateJobError);
    const id = await queue.enqueue({ type: 'test.part' }, { on: connection });
    await connection.query('COMMIT');
    expect(await queue.list({ type: 'test.part' })).toMatchObject([{ id }, { type: 'test.part' }]);
    expect(await isMineThere()).toBe(true);
    await db.pool.query("DELETE FROM background_job_queues WHERE queue = 'mine'");
  });

  test('an id that does not exist keeps no producer waiting', async () => {
    await queue.retry([4_000_000_000, 4_000_000_001], { on: connection });
    await queue.cancel(4_000_000_000, { on: connection });
    const producer = await connect();
    await producer.query('SET innodb_lock_wait_timeout = 1');
    await expect(producer.query("INSERT INTO background_jobs (job_type) VALUES ('test.echo')")).resolves.toBeDefined();
  });

  test('without autocommit nothing is committed for the caller', async () => {
    await connection.query('ROLLBACK');
    await connection.query('SET autocommit = 0');
    const [id] = await queue.enqueueMany([{ type: 'test.echo' }], { on: connection });
    await createQueue(connection).retry([1]);
    expect(await queue.get(id ?? 0)).toBeUndefined();
    await connection.query('ROLLBACK');
    expect(await queue.get(id ?? 0)).toBeUndefined();
  });

  test('a connection without a transaction does each call as a whole', async () => {
    await connection.query('ROLLBACK');
    const own = createQueue(connection);
    const jobs = [...Array(600).fill({ type: 'test.bulk' }), ...Array(2).fill({ type: 'test.bulk', uniqueKey: 'two' })];
    await expect(own.enqueueMany(jobs)).rejects.toThrow(DuplicateJobError);
    expect(await own.list({ type: 'test.bulk' })).toEqual([]);
    const ids = await own.enqueueMany(jobs.slice(0, 601));
    expect(await queue.list({ type: 'test.bulk', limit: 1 })).toMatchObject([{ id: ids.at(-1) }]);
    await db.pool.query("DELETE FROM background_jobs WHERE job_type = 'test.bulk'");
  });

  test('a deadlock is told as the driver tells it, and nothing is tried again behind its back', async () => {
    await connection.query('ROLLBACK');
    const [a, b] = [await insertJob(db, { status: 'failed' }), await insertJob(db, { status: 'failed' })];
    const other = await connect();
    for (const each of [connection, other]) await each.query('START TRANSACTION');
    await insertMany(other, 200); // the server undoes the one that wrote less
    await connection.query('SELECT id FROM background_jobs WHERE id = ? FOR UPDATE', [a]);
    await other.query('SELECT id FROM background_jobs WHERE id = ? FOR UPDATE', [b]);
    const blocked = other.query('SELECT id FROM background_jobs WHERE id = ? FOR UPDATE', [a]);
    const error: unknown = await queue.retry(b, { on: connection }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ errno: 1213, code: 'ER_LOCK_DEADLOCK' });
    await blocked;
    await other.query('ROLLBACK');
    expect(await queue.get(b)).toMatchObject({ status: 'failed' });
  });
});

const insertMany = (connection: Connection, rows: number) =>
  connection.query('INSERT INTO background_job_errors (job_id, attempt, error) VALUES ?', [
    Array(rows).fill([1, 1, 'x']),
  ]);

test('the tx of a job function does as well', async () => {
  const pool = openQueuePool(db.url, 1);
  const connection = await pool.getConnection();
  await connection.query('START TRANSACTION');
  const guard = new GuardedTx(connection);
  const id = await queue.enqueue({ type: 'test.echo', payload: 'é', runAt: AT }, { on: guard.handle });
  await queue.enqueueMany([{ type: 'test.echo' }], { on: guard.handle });
  const jobs = [...Array(600).fill({ type: 'test.tx' }), ...Array(2).fill({ type: 'test.tx', uniqueKey: 'two' })];
  await expect(queue.enqueueMany(jobs, { on: guard.handle })).rejects.toThrow(DuplicateJobError);
  await guard.close();
  expect(await queue.get(id)).toBeUndefined();
  await connection.query('COMMIT');
  connection.release();
  await pool.end();
  expect(await queue.get(id)).toMatchObject({ payload: 'é', runAt: AT });
  expect(await queue.list({ type: 'test.tx' })).toEqual([]);
});

test('thousands of jobs are all there or none, and their ids are in order', async () => {
  const jobs = Array.from({ length: 2_500 }, (_, n) => ({ type: 'test.bulk', payload: n, uniqueKey: `bulk ${n}` }));
  const ids = await queue.enqueueMany(jobs);
  expect(ids).toHaveLength(2_500);
  expect((await queue.get(ids[0] ?? 0))?.payload).toBe(0);
  expect((await queue.get(ids[2_499] ?? 0))?.payload).toBe(2_499);
  expect(ids.every((id, at) => at === 0 || Number(id) > Number(ids[at - 1]))).toBe(true);
  const again = [
    ...jobs.map((job) => ({ ...job, uniqueKey: `${job.uniqueKey} again` })),
    { type: 'test.bulk', uniqueKey: 'bulk 7' },
  ];
  await expect(queue.enqueueMany(again)).rejects.toMatchObject({ code: 'ROWLOCK_DUPLICATE_JOB' });
  const [[{ jobs: there }]] = (await db.pool.query(
    "SELECT COUNT(*) AS jobs FROM background_jobs WHERE job_type = 'test.bulk'",
  )) as unknown as [[{ jobs: number }]];
  expect(there).toBe(2_500);
  await expect(queue.enqueueMany([])).resolves.toEqual([]);
});

describe('definitions', () => {
  const mail = defineJob({
    type: 'test.mail',
    payload: z.object({ to: z.email(), at: z.coerce.date().optional() }),
    queue: 'mail',
    priority: -3,
    unique: 'active',
    run: ({ to }) => to.length,
  });
  const program = { type: 'test.program', command: ['true'] } as const;
  const plain = defineJob({ type: 'test.plain', run: () => undefined });
  const withJobs = () => createQueue(db.pool, { jobs: [mail, program, plain] });

  test('give queue and priority, which a job may have otherwise', async () => {
    const jobs = withJobs();
    const ids = await jobs.enqueueMany([
      { type: 'test.mail', payload: { to: 'ann@example.com' } },
      { type: 'test.mail', payload: { to: 'ann@example.com' }, queue: 'slow', priority: 1 },
      { type: 'test.program', payload: [1] },
      { type: 'test.plain' },
    ]);
    const found = await Promise.all(ids.map((id) => jobs.get(id)));
    expect(found.map((job) => [job?.queue, job?.priority])).toEqual([
      ['mail', -3],
      ['slow', 1],
      ['default', 0],
      ['default', 0],
    ]);
  });

  test('refuse a payload before anything is inserted, naming the fields and no value', async () => {
    const jobs = withJobs();
    const before = await queue.list({ limit: 1 });
    const good = { type: 'test.mail', payload: { to: 'ann@example.com' } } as const;
    const error: unknown = await jobs
      .enqueueMany([good, { type: 'test.mail', payload: { to: 'secret' } }])
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UnfitJobError);
    expect(error).toMatchObject({
      code: 'ROWLOCK_UNFIT_JOB',
      message: expect.stringMatching(/^test\.mail: payload refused: to: /),
    });
    expect(String(error)).not.toContain('secret');
    await expect(jobs.enqueue({ type: 'test.mail' } as never)).rejects.toThrow(/payload refused/);
    expect(await queue.list({ limit: 1 })).toEqual(before.map((job) => ({ ...job, now: expect.any(Date) })));
  });

  test('a payload is checked as the worker will read it, and stored as it was given', async () => {
    const at = new Date('2027-01-01T00:00:00.000Z');
    const id = await withJobs().enqueue({ type: 'test.mail', payload: { to: 'ann@example.com', at } });
    expect((await queue.get(id))?.payload).toEqual({ to: 'ann@example.com', at: at.toISOString() });
    const strict = createQueue(db.pool, { jobs: [defineJob({ type: 'test.date', payload: z.date(), run: () => 1 })] });
    await expect(strict.enqueue({ type: 'test.date', payload: at })).rejects.toThrow(/payload refused/);
  });

  test('no other type is enqueued by a queue that has definitions', async () => {
    await expect(withJobs().enqueue({ type: 'test.mial' } as never)).rejects.toThrow(
      /no job type "test.mial" among its jobs/,
    );
  });

  test('tell cancel whose unique key to free', async () => {
    const enqueue = () =>
      withJobs().enqueue({ type: 'test.mail', payload: { to: 'ann@example.com' }, uniqueKey: 'ann' });
    await withJobs().cancel(await enqueue());
    const second = await enqueue();
    await queue.cancel(second);
    expect(await queue.get(second)).toMatchObject({ uniqueKey: 'ann' });
  });

  test('with faults are refused, each one', () => {
    const jobs = [
      { type: '', run: () => 1 },
      { type: 'a', run: () => 1, timeout: 'soon' },
    ];
    expect(() => createQueue(db.pool, { jobs })).toThrow(ConfigError);
    expect(() => createQueue(db.pool, { jobs })).toThrow(/type is empty.*timeout "soon" is no duration/);
  });
});

test.each<[string, unknown, RegExp]>([
  ['words', 'test.echo', /a job is an object such as/],
  ['nothing', undefined, /a job is an object such as/],
  ['no type', { payload: 1 }, /a job is an object such as/],
  ['a key that is none', { type: 'a', run_at: AT }, /a job has no "run_at"; known are type, /],
  ['a time in words', { type: 'a', runAt: '2027-01-01' }, /runAt is no Date/],
  ['a time that is none', { type: 'a', runAt: new Date(Number.NaN) }, /outside of what a TIMESTAMP holds/],
  ["a name of Rowlock's own", { type: 'rowlock.prune' }, /begins with "rowlock.", which is kept for Rowlock itself/],
  ['a delay beside a time', { type: 'a', runAt: AT, delay: '5m' }, /both a runAt and a delay/],
  ['a delay that is none', { type: 'a', delay: 'soon' }, /a: RangeError: "soon" is no duration/],
  ['a number as unique key', { type: 'a', uniqueKey: 5 }, /uniqueKey is no text/],
  ['a function as payload', { type: 'a', payload: { f: () => 1 } }, /a: JsonError: a function at "f" is no JSON/],
  ['a priority out of range', { type: 'a', priority: 1e9 }, /priority 1000000000 is no whole number/],
])('%s is refused', async (_, job, message) => {
  const refused = queue.enqueue(job as never);
  await expect(refused).rejects.toThrow(message);
  await expect(refused).rejects.toMatchObject({ code: 'ROWLOCK_UNFIT_JOB' });
});

test('no error has the payload in it, however it is printed', async () => {
  await using own = createQueue(db.url);
  const connection = await connect();
  const missing = await createDatabase({ migrated: false });
  const job = { type: 'test.echo', payload: 'confidential', uniqueKey: 'told' };
  await queue.enqueue(job);
  const shown = [];
  for (const on of [queue, own, createQueue(connection), createQueue(remember(createPool({ uri: missing.url })))]) {
    for (const call of [() => on.enqueue(job), () => on.enqueueMany([job])]) {
      const error: unknown = await call().then(
        () => 'no error',
        (thrown: unknown) => thrown,
      );
      shown.push(inspect(error, { depth: 9, showHidden: true }));
    }
  }
  expect(shown).toEqual(Array(8).fill(expect.stringMatching(/DuplicateJobError|ConfigError/)));
  expect(shown).toEqual(Array(8).fill(expect.stringMatching(/errno: /)));
  expect(shown.join()).not.toMatch(new RegExp(`confidential|${Buffer.from('confidential').toString('hex')}`));
});

test('what a pool without autocommit has enqueued is committed', async () => {
  const pool = remember(createCallbackPool({ uri: db.url, connectionLimit: 1 }));
  pool.on('connection', (connection) => connection.query('SET autocommit = 0'));
  const own = createQueue(pool);
  const id = await own.enqueue({ type: 'test.echo', uniqueKey: 'kept' });
  const [other] = await own.enqueueMany([{ type: 'test.echo' }]);
  expect([await queue.get(id), await queue.get(other ?? 0)]).toMatchObject([{ id }, { id: other }]);
  await expect(own.enqueue({ type: 'test.echo', uniqueKey: 'kept' })).rejects.toThrow(DuplicateJobError);
  const connection = await connect();
  await connection.query('SET innodb_lock_wait_timeout = 1'); // a refused INSERT would keep a lock on the other row
  await expect(connection.query('DELETE FROM background_jobs WHERE id = ?', [id])).resolves.toBeDefined();
});

test('a payload that no packet holds once it is written into a statement is refused before it is sent', async () => {
  const [[{ packet }]] = (await db.pool.query('SELECT @@max_allowed_packet AS packet')) as unknown as [
    [{ packet: number }],
  ];
  const connection = await connect();
  await connection.query('START TRANSACTION');
  const payload = 'é'.repeat(packet / 4);
  await expect(queue.enqueue({ type: 'test.echo', payload }, { on: connection })).rejects.toThrow(
    /payload is too large/,
  );
  await expect(queue.enqueue({ type: 'test.echo' }, { on: connection })).resolves.toEqual(expect.any(Number));
  await connection.query('ROLLBACK');
});

test.each([-1, 1.5, 2 ** 53, Number.NaN, '', '-1', '1e3', ' 1', '18446744073709551616', null, {}])(
  '%p is no id',
  async (id) => {
    for (const call of [queue.get, queue.retry, queue.cancel])
      await expect(call(id as never)).rejects.toThrow(/is no job id/);
  },
);

test('ids beyond 2^53 are strings, and none is rounded', async () => {
  const far = await createDatabase();
  await far.pool.query('ALTER TABLE background_jobs AUTO_INCREMENT = 9007199254740993');
  const there = createQueue(remember(createPool({ uri: far.url })));
  const ids = await there.enqueueMany([{ type: 'a' }, { type: 'b' }]);
  expect(ids).toEqual(['9007199254740993', '9007199254740994']);
  expect(await there.get('9007199254740994')).toMatchObject({ id: '9007199254740994', type: 'b' });
  expect(await there.cancel(['009007199254740993', ...ids])).toEqual(
    ids.map((id) => ({ id, how: 'cancelled', status: 'pending' })),
  );
  expect(await there.get('1')).toBeUndefined();
});

test('a job that has run tells of it', async () => {
  const id = await insertJob(db, {
    status: 'completed',
    attempts: 2,
    result: '{"n": 9007199254740993}',
    checkpoint: '[1]',
    progress: 0.5,
    last_error: 'once',
    started_at: '2027-01-01 00:00:00.000',
    processed_at: '2027-01-01 00:00:01.500',
  });
  const job = await queue.get(id);
  expect(job).toMatchObject({
    status: 'completed',
    attempts: 2,
    result: { n: 9_007_199_254_740_993n },
    checkpoint: [1],
    progress: 0.5,
    lastError: 'once',
  });
  expect(Number(job?.processedAt) - Number(job?.startedAt)).toBe(1_500);
  expect(await queue.retry(id)).toEqual([{ id, how: 'left', status: 'completed' }]);
  expect(await queue.cancel(id)).toEqual([{ id, how: 'left', status: 'completed' }]);
});

test('a running job is asked to end; the status tells who holds it', async () => {
  const runId = 4711;
  await insertRow(db, 'background_job_runs', {
    id: runId,
    host: 'here',
    pid: 1,
    selection: '',
    lease_expires_at: '2037-01-01',
  });
  const id = await insertJob(db, { status: 'running', run_id: runId, attempts: 1, queue: 'held' });
  const { runs, queues } = await queue.status('held');
  expect(runs).toMatchObject([{ id: runId, host: 'here', pid: 1, slot: null, alive: true, completed: 0 }]);
  expect(queues).toEqual([
    {
      queue: 'held',
      pausedAt: null,
      pending: 0,
      due: 0,
      oldestDueMs: null,
      later: 0,
      running: 1,
      completed: 0,
      failed: 0,
    },
  ]);
  expect(await queue.cancel(id)).toEqual([{ id, how: 'requested', status: 'running' }]);
  expect(await queue.list({ status: 'running', queue: 'held' })).toMatchObject([{ id, cancelledAt: expect.any(Date) }]);
  await db.pool.query('DELETE FROM background_job_runs');
});

test('a misspelt option is refused, and nothing is done elsewhere than it says', async () => {
  const connection = await connect();
  const before = await queue.list({ limit: 1 });
  const misspelt: [unknown, RegExp][] = [
    [{ connection }, /no option "connection"; .*\{ on: connection \}/],
    [{ conn: connection }, /no option "conn"/],
    [{ on: undefined }, /\{ on: undefined \} names no connection/],
    [connection, /a connection was given in place of the options; give \{ on: connection \}/],
    [null, /no object/],
  ];
  for (const [options, message] of misspelt) {
    const given = options as never;
    const job = { type: 'test.echo' };
    for (const call of [
      () => queue.enqueue(job, given),
      () => queue.enqueueMany([], given),
      () => queue.enqueueMany([job], given),
      () => queue.get(1, given),
      () => queue.retry(1, given),
      () => queue.cancel(1, given),
    ]) {
      await expect(call()).rejects.toThrow(TypeError);
      await expect(call()).rejects.toThrow(message);
    }
  }
  expect(await queue.list({ limit: 1 })).toEqual(before.map((job) => ({ ...job, now: expect.any(Date) })));
  await expect(queue.list({ types: 'a' } as never)).rejects.toThrow(/no option "types"; list takes status, /);
  for (const none of [0, null, ['a']]) {
    await expect(queue.list({ type: none as never })).rejects.toThrow(/type is no text/);
    await expect(queue.list({ queue: none as never })).rejects.toThrow(/queue is no text/);
    await expect(queue.status(none as never)).rejects.toThrow(/queue is no text/);
  }
  expect(() => createQueue(db.pool, { job: [] } as never)).toThrow(/no option "job"; createQueue takes jobs, /);
});

test('a list of what does not exist, or of too much, is refused', async () => {
  await expect(queue.list({ status: 'done' as never })).rejects.toThrow(/no job is "done"; give one of pending/);
  for (const limit of [0, 1.5, 100_001]) await expect(queue.list({ limit })).rejects.toThrow(RangeError);
});

test('a database without the tables says what to do; other errors stay as the driver has them', async () => {
  const empty = await createDatabase({ migrated: false });
  const pool = remember(createPool({ uri: empty.url }));
  for (const there of [createQueue(pool), createQueue(empty.url)]) {
    const asked = there.enqueue({ type: 'a' });
    await expect(asked).rejects.toMatchObject({
      code: 'ROWLOCK_CONFIG',
      message: expect.stringContaining('run rowlock migrate'),
    });
    await expect(asked).rejects.toBeInstanceOf(ConfigError);
    await there.close();
  }
  const ended = createPool({ uri: empty.url });
  await ended.end();
  await expect(createQueue(ended).get(1)).rejects.toThrow('Pool is closed');
  await using away = createQueue('mysql://nobody:secret@127.0.0.1:1/none');
  const asked = away.get(1);
  await expect(asked).rejects.toMatchObject({
    code: 'ROWLOCK_UNREACHABLE',
    message: expect.stringContaining('127.0.0.1:1'),
  });
  await expect(asked).rejects.not.toThrow(/secret/);
});

test('what is no client of mysql2 is refused', async () => {
  const refused = (on: unknown) => () => createQueue(on as MysqlClient);
  for (const on of [undefined, null, {}, { query: () => [] }, 5])
    expect(refused(on)).toThrow(/takes a mysql2 pool or connection/);
  expect(refused('mysql://user:secret@host')).toThrow(/the URL of createQueue names no database/);
  expect(refused('http://user:secret@host/db')).toThrow(/^(?!.*secret).*not of the form mysql:/);
  const rowsOnly = { query: async () => [{ now: 1 }], execute: async () => [] };
  await expect(createQueue(rowsOnly).enqueue({ type: 'a' })).rejects.toThrow(/this is one of another driver/);
});

/** A pool of ours, to be sure that the tests above speak of others'. */
test('the options of these tests are taken by the driver', async () => {
  const pool: Pool = remember(createPool({ uri: db.url, typeCast: () => 'X' }));
  const [rows] = await pool.query('SELECT 1 AS one');
  expect(rows).toEqual([{ one: 'X' }]);
});
