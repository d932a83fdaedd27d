import type { RowDataPacket } from 'mysql2/promise';
import { openPool, type Pool } from '../src/db/pool';
import { DuplicateJobError, UnfitJobError } from '../src/errors';
import { enqueueJobs, findByUniqueKey } from '../src/queue/enqueue';
import type { EnqueueRow } from '../src/queue/new-job';
import { createDatabase, type TestDatabase } from './support/database';
import { insertJob, readJob } from './support/rows';

let db: TestDatabase;
let pool: Pool;

beforeAll(async () => {
  db = await createDatabase();
  await db.users.uncomment('producer', 'unique_key');
  pool = openPool(connectionOf(db), { connections: 6, sessionTimeoutMs: 60_000 });
});

afterAll(() => pool.end());

const connectionOf = ({ urls, name }: TestDatabase) => {
  const { hostname: host, port, username: user, password } = new URL(urls.producer);
  return { host, port: Number(port || 3306), user, password, database: name };
};

const aJob = (job: Partial<EnqueueRow> = {}): EnqueueRow => ({ jobType: 'test.echo', payloadText: null, ...job });

const enqueueOne = async (job: Partial<EnqueueRow>): Promise<number> =>
  Number((await enqueueJobs(pool, [aJob(job)]))[0]);

test('a job has the defaults of the table, and is due at once', async () => {
  const id = await enqueueOne({});
  const [[row]] = await db.pool.query<RowDataPacket[]>(
    'SELECT job_type, payload, status, queue, priority, unique_key, max_attempts, attempts, run_at <= NOW(3) AS due FROM background_jobs WHERE id = ?',
    [id],
  );
  expect(row).toEqual({
    job_type: 'test.echo',
    payload: null,
    status: 'pending',
    queue: 'default',
    priority: 0,
    unique_key: null,
    max_attempts: null,
    attempts: 0,
    due: 1,
  });
});

test('all that is given is stored, 4-byte characters and large integers too', async () => {
  const payloadText = '{"a": "😀 𝒳", "m": -9223372036854775808, "n": 18446744073709551615}';
  const id = await enqueueOne({ payloadText, queue: 'mäil', priority: -5, uniqueKey: '🔑', maxAttempts: 0 });
  expect(await readJob(db, id)).toMatchObject({
    payload: payloadText,
    queue: 'mäil',
    priority: -5,
    unique_key: '🔑',
    max_attempts: 0,
  });
});

test('a delay counts from the database clock', async () => {
  const id = await enqueueOne({ delayMs: 300_000 });
  const [[row]] = await db.pool.query<RowDataPacket[]>(
    'SELECT TIMESTAMPDIFF(SECOND, NOW(3), run_at) AS seconds FROM background_jobs WHERE id = ?',
    [id],
  );
  expect(row?.['seconds']).toBeGreaterThan(290);
  expect(row?.['seconds']).toBeLessThanOrEqual(300);
});

test.each(['1971-01-01T00:00:00.000Z', '2037-12-31T23:59:59.999Z'])('a job may run at %s', async (iso) => {
  const id = await enqueueOne({ runAt: new Date(iso) });
  const [[row]] = await db.pool.query<RowDataPacket[]>(
    'SELECT CAST(UNIX_TIMESTAMP(run_at) * 1000 AS SIGNED) AS ms FROM background_jobs WHERE id = ?',
    [id],
  );
  expect(row?.['ms']).toBe(Date.parse(iso));
});

test('ids come in order and belong to their jobs, while others insert beside', async () => {
  let busy = true;
  const beside = Promise.all(
    [1, 2, 3].map(async () => {
      for (; busy; )
        await db.pool.query(
          "INSERT INTO background_jobs (job_type) SELECT 'test.other' FROM (SELECT 1 UNION SELECT 2 UNION SELECT 3) AS n",
        );
    }),
  );
  const batches = await Promise.all(
    [1, 2, 3].map(async (batch) => {
      const jobs = Array.from({ length: 1_200 }, (_, index) => aJob({ payloadText: `"${batch}-${index}"` }));
      return { batch, ids: await enqueueJobs(pool, jobs) };
    }),
  );
  busy = false;
  await beside;
  for (const { batch, ids } of batches) {
    expect(new Set(ids).size).toBe(1_200);
    const [rows] = await db.pool.query<RowDataPacket[]>('SELECT id, payload FROM background_jobs WHERE id IN (?)', [
      ids,
    ]);
    const payloads = new Map(rows.map((row) => [row['id'], row['payload']]));
    expect(ids.map((id) => payloads.get(id))).toEqual(ids.map((_, index) => `"${batch}-${index}"`));
  }
});

test('ids are right where a cluster spreads them', async () => {
  const connection = await pool.getConnection();
  try {
    await connection.query('SET SESSION auto_increment_increment = 7, SESSION auto_increment_offset = 3');
    const ids = await enqueueJobs(connection, [
      aJob({ payloadText: '1' }),
      aJob({ payloadText: '2' }),
      aJob({ payloadText: '3' }),
    ]);
    const payloads = await Promise.all(ids.map(async (id) => (await readJob(db, Number(id)))['payload']));
    expect(payloads).toEqual(['1', '2', '3']);
    expect(Number(ids[1]) - Number(ids[0])).toBe(7);
  } finally {
    connection.destroy();
  }
});

test('a duplicate refuses the whole batch with an error of its own, and can be looked up', async () => {
  const id = await enqueueOne({ uniqueKey: 'daily' });
  const refused = enqueueJobs(pool, [aJob({ payloadText: '"lost"' }), aJob({ uniqueKey: 'daily' })]);
  await expect(refused).rejects.toThrow(DuplicateJobError);
  await expect(refused).rejects.toThrow('a job has the unique key "daily" already; nothing was enqueued');
  const [rows] = await db.pool.query<RowDataPacket[]>(`SELECT id FROM background_jobs WHERE payload = '"lost"'`);
  expect(rows).toEqual([]);
  expect(await findByUniqueKey(pool, 'test.echo', 'daily')).toEqual({ id, status: 'pending' });
  expect(await findByUniqueKey(pool, 'test.other', 'daily')).toBeUndefined();
});

test('keys compare by bytes, and belong to their type', async () => {
  await enqueueOne({ uniqueKey: 'Résumé' });
  for (const job of [
    { uniqueKey: 'Resume' },
    { uniqueKey: 'résumé' },
    { uniqueKey: 'Résumé', jobType: 'test.other' },
  ]) {
    await expect(enqueueOne(job)).resolves.toBeGreaterThan(0);
  }
});

test('inside a transaction that is undone, nothing is enqueued', async () => {
  const connection = await pool.getConnection();
  await connection.query('START TRANSACTION');
  const ids = await enqueueJobs(connection, [aJob()]);
  await connection.query('ROLLBACK');
  connection.release();
  expect(ids).toHaveLength(1);
  await expect(readJob(db, Number(ids[0]))).rejects.toThrow('there is no job');
});

test('no jobs are no statement', async () => {
  const broken = { query: () => Promise.reject(new Error('a statement was sent')) } as unknown as Pool;
  await expect(enqueueJobs(broken, [])).resolves.toEqual([]);
});

test.each<[string, Partial<EnqueueRow>, RegExp]>([
  ['an empty type', { jobType: '' }, /job type is empty/],
  ['a type with a space behind', { jobType: 'a ' }, /ends with a space/],
  ['a type of 256 characters', { jobType: '𝒳'.repeat(256) }, /256 characters; 255 is the most/],
  ['half of a character', { jobType: 'a\ud800' }, /half of a character/],
  ['an empty queue', { queue: '' }, /queue is empty/],
  ['a unique key of 256 characters', { uniqueKey: 'k'.repeat(256) }, /unique key has 256/],
  ['a priority out of range', { priority: 32_768 }, /priority 32768/],
  ['a fraction of an attempt', { maxAttempts: 1.5 }, /max attempts 1.5/],
  ['a time before TIMESTAMP', { runAt: new Date(0) }, /outside of what a TIMESTAMP holds/],
  ['a delay past TIMESTAMP', { delayMs: 1e15 }, /outside of what a TIMESTAMP holds/],
  ['an invalid date', { runAt: new Date(Number.NaN) }, /outside of what a TIMESTAMP holds/],
  ['an integer beyond 64 bits', { payloadText: '[18446744073709551616]' }, /payload holds an integer beyond 64 bits/],
  ['no JSON', { payloadText: '{' }, /the server refuses the payload/],
  ['half of a character in JSON', { payloadText: '"\\ud800"' }, /the server refuses the payload/],
])('%s is refused', async (_, job, message) => {
  const before = await enqueueOne({});
  await expect(enqueueOne(job)).rejects.toThrow(UnfitJobError);
  await expect(enqueueOne(job)).rejects.toThrow(message);
  const [rows] = await db.pool.query<RowDataPacket[]>('SELECT id FROM background_jobs WHERE id > ?', [before]);
  expect(rows).toEqual([]);
});

test('queue and priority that are named hold, whatever the defaults of the table are', async () => {
  const own = await createDatabase();
  await own.pool.query(`ALTER TABLE background_jobs ALTER queue SET DEFAULT 'low', ALTER priority SET DEFAULT 5`);
  const pool = openPool(connectionOf(own), { connections: 1, sessionTimeoutMs: 60_000 });
  const jobs = [aJob({ queue: 'default', priority: 0 }), aJob({}), aJob({ priority: 1 })];
  for (const job of jobs) await enqueueJobs(pool, [job]);
  await enqueueJobs(pool, jobs);
  const [rows] = await own.pool.query<RowDataPacket[]>('SELECT queue, priority FROM background_jobs ORDER BY id');
  const expected = [0, 0, 1].map((priority) => ({ queue: 'default', priority }));
  expect(rows).toEqual([...expected, ...expected]);
  await pool.end();
});

test('a type of 255 characters is fine', async () => {
  const jobType = '𝒳'.repeat(255);
  expect(await readJob(db, await enqueueOne({ jobType }))).toMatchObject({ job_type: jobType });
});

test('a payload that no packet holds is refused before it is sent', async () => {
  const [[limits]] = await db.pool.query<RowDataPacket[]>('SELECT @@max_allowed_packet AS packet');
  const packet = Number(limits?.['packet']);
  const payloadText = `"${'x'.repeat(packet)}"`;
  await expect(enqueueOne({ payloadText })).rejects.toThrow(/payload is too large.*max_allowed_packet/);
  await expect(insertJob(db)).resolves.toBeGreaterThan(0);
});

test('another unique index of an adopted table is told as the server tells it', async () => {
  const adopted = await createDatabase();
  await adopted.pool.query('ALTER TABLE background_jobs ADD UNIQUE KEY one_of_a_type (job_type)');
  const other = openPool(connectionOf(adopted), { connections: 1, sessionTimeoutMs: 60_000 });
  await enqueueJobs(other, [aJob()]);
  await expect(enqueueJobs(other, [aJob()])).rejects.toThrow(/Duplicate entry/);
  await other.end();
});
