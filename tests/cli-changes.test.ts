import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RowDataPacket } from 'mysql2/promise';
import { createDatabase, type TestDatabase } from './support/database';
import { type Ended, rowlock, start } from './support/rowlock';
import { insertJob, insertRow, readJob } from './support/rows';
import { until } from './support/until';

let db: TestDatabase;
let folder: string;
let jobs: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'rowlock-changes-'));
  jobs = join(folder, 'jobs.cjs');
  writeFileSync(jobs, `module.exports = [{ type: 'active', unique: 'active', run() {} }, { type: 'kept', run() {} }];`);
});

beforeEach(async () => {
  db = await createDatabase();
});

afterEach(() => db.drop());
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const tell = (...args: string[]): Promise<Ended> =>
  rowlock(args, { env: { DATABASE_URL: db.urls.worker, ROWLOCK_JOBS: jobs } });

const FAILED = {
  status: 'failed',
  attempts: 8,
  crashes: 2,
  processed_at: new Date(),
  last_error: 'no luck',
  checkpoint: '{"at": 1}',
};
const CANCELLED = { ...FAILED, cancelled_at: new Date(), last_error: 'cancelled' };

const statuses = async (): Promise<string[]> => {
  const [rows] = await db.pool.query<RowDataPacket[]>('SELECT status FROM background_jobs ORDER BY id');
  return rows.map((row) => String(row['status']));
};

describe('retry', () => {
  test('revives a dead letter, due at once, with its history and checkpoint', async () => {
    const id = await insertJob(db, {
      ...FAILED,
      run_id: 5,
      unique_key: 'k',
      run_at: new Date(Date.now() + 86_400_000),
    });
    await insertRow(db, 'background_job_errors', { job_id: id, attempt: 8, error: 'no luck' });
    expect(await tell('retry', String(id))).toMatchObject({
      code: 0,
      stdout: `job ${id} (test.echo) is pending again\n`,
      stderr: '',
    });
    expect(await readJob(db, id)).toMatchObject({
      status: 'pending',
      attempts: 0,
      crashes: 0,
      processed_at: null,
      checkpoint: '{"at": 1}',
      last_error: 'no luck',
      unique_key: 'k',
    });
    const [[due]] = await db.pool.query<RowDataPacket[]>('SELECT run_at <= NOW(3) AS due FROM background_jobs');
    const [history] = await db.pool.query<RowDataPacket[]>('SELECT error FROM background_job_errors');
    expect([due, history]).toEqual([{ due: 1 }, [{ error: 'no luck' }]]);
  });

  test('revives by id also what was cancelled, or an older script left behind', async () => {
    const ids = [await insertJob(db, CANCELLED), await insertJob(db, { status: 'running' })];
    expect((await tell('retry', ...ids.map(String))).code).toBe(0);
    expect(await readJob(db, ids[0] ?? 0)).toMatchObject({ status: 'pending', cancelled_at: null, last_error: null });
    expect(await statuses()).toEqual(['pending', 'pending']);
  });

  test('leaves all others as they are, and names each', async () => {
    const ids = [
      await insertJob(db),
      await insertJob(db, { status: 'running', run_id: 1 }),
      await insertJob(db, { status: 'completed' }),
      await insertJob(db, FAILED),
      999,
    ];
    const { code, stdout, stderr } = await tell('retry', ...ids.map(String));
    expect(code).toBe(1);
    expect(stdout).toBe('job 4 (test.echo) is pending again\n');
    expect(stderr).toMatch(
      /^rowlock: job 1 is pending already, to run at .*\nrowlock: job 2 is running; cancel it first\nrowlock: job 3 is completed, and only failed jobs are retried; enqueue a new one\nrowlock: there is no job 999\n$/,
    );
    expect(await statuses()).toEqual(['pending', 'running', 'completed', 'pending']);
  });

  test('says that a unique key that was freed stays free', async () => {
    await insertJob(db, { ...FAILED, job_type: 'active' });
    await insertJob(db, { ...FAILED, job_type: 'kept' });
    const { stdout } = await tell('retry', '1', '2');
    expect(stdout).toBe(
      'job 1 (active) is pending again; its unique_key was freed when it ended, and stays free\njob 2 (kept) is pending again\n',
    );
  });

  test('--failed revives all but the cancelled, in portions', async () => {
    await db.pool.query('INSERT INTO background_jobs (job_type, status, attempts) VALUES ?', [
      Array.from({ length: 2_345 }, (_, index) => [index % 2 === 0 ? 'a' : 'active', 'failed', 8]),
    ]);
    const cancelled = await insertJob(db, CANCELLED);
    expect(await tell('retry', '--failed', '--type', 'a')).toMatchObject({
      code: 0,
      stdout: '1173 failed jobs are pending again\n',
    });
    expect(await tell('retry', '--failed')).toMatchObject({
      code: 0,
      stdout:
        '1172 failed jobs are pending again\n1172 of them have no unique_key any more: their type frees it when a job ends\n',
    });
    expect(await tell('retry', '--failed')).toMatchObject({ code: 0, stdout: '0 failed jobs are pending again\n' });
    expect(await readJob(db, cancelled)).toMatchObject({ status: 'failed' });
  });
});

describe('cancel', () => {
  test('ends a pending job at once', async () => {
    const id = await insertJob(db, { job_type: 'kept', unique_key: 'k' });
    expect(await tell('cancel', String(id))).toMatchObject({ code: 0, stdout: `job ${id} (kept) is cancelled\n` });
    expect(await readJob(db, id)).toMatchObject({
      status: 'failed',
      last_error: 'cancelled',
      unique_key: 'k',
      cancelled_at: expect.any(Date),
      processed_at: expect.any(Date),
    });
  });

  test('frees a unique key that holds only while the job is active', async () => {
    const id = await insertJob(db, { job_type: 'active', unique_key: 'k' });
    await tell('cancel', String(id));
    expect(await readJob(db, id)).toMatchObject({ status: 'failed', unique_key: null });
  });

  test('asks for the end of a running one', async () => {
    const id = await insertJob(db, { status: 'running', run_id: 1 });
    expect((await tell('cancel', String(id))).stdout).toBe(
      `job ${id} (test.echo) is running; its run aborts it at the next heartbeat\n`,
    );
    expect(await readJob(db, id)).toMatchObject({ status: 'running', cancelled_at: expect.any(Date) });
  });

  test('leaves all others as they are, and names each', async () => {
    for (const columns of [{ status: 'completed' }, FAILED, { status: 'running' }]) await insertJob(db, columns);
    const { code, stderr } = await tell('cancel', '1', '2', '3', '99');
    expect(code).toBe(1);
    expect(stderr).toBe(
      'rowlock: job 1 has completed already\nrowlock: job 2 has failed already\n' +
        'rowlock: job 3 is held by no run but by an older script, which cannot be told\nrowlock: there is no job 99\n',
    );
    expect(await readJob(db, 3)).toMatchObject({ status: 'running', cancelled_at: null });
  });

  test('waits for whoever holds the row, and sees what became of it', async () => {
    const id = await insertJob(db);
    const claim = await db.pool.getConnection();
    await claim.query('START TRANSACTION');
    await claim.query("UPDATE background_jobs SET status = 'running', run_id = 1, attempts = 1 WHERE id = ?", [id]);
    const cancelling = start(['cancel', String(id)], { env: { DATABASE_URL: db.urls.worker } });
    await untilBlocked();
    await claim.query('COMMIT');
    claim.release();
    expect(await cancelling.ended).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('aborts it at the next heartbeat'),
    });
    expect(await readJob(db, id)).toMatchObject({ status: 'running', cancelled_at: expect.any(Date) });
  });

  async function untilBlocked(): Promise<void> {
    await until(async () => {
      const [rows] = await db.pool.query<RowDataPacket[]>(
        "SELECT 1 FROM information_schema.processlist WHERE db = ? AND info LIKE '%FOR UPDATE%' AND info NOT LIKE '%processlist%'",
        [db.name],
      );
      return rows.length > 0;
    }, 'the cancellation waits for the row');
  }
});

describe('pause and resume', () => {
  test('a name that no queue has room for is refused', async () => {
    const name = '\u{1f4a5}'.repeat(256);
    expect(await tell('pause', name)).toMatchObject({
      code: 64,
      stderr: 'rowlock: the queue has 256 characters; 255 is the most\n',
    });
  });

  test('are told once, and may be repeated', async () => {
    await insertJob(db, { queue: 'mail' });
    expect(await tell('pause', 'mail')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^queue mail is paused; /),
      stderr: '',
    });
    expect(await tell('pause', 'mail')).toMatchObject({
      code: 0,
      stdout: 'queue mail was paused already\n',
      stderr: '',
    });
    const [paused] = await db.pool.query<RowDataPacket[]>(
      'SELECT queue, paused_at IS NULL AS open FROM background_job_queues',
    );
    expect(paused).toEqual([{ queue: 'mail', open: 0 }]);
    expect((await tell('resume', 'mail')).stdout).toMatch(/^queue mail is resumed; /);
    expect(await tell('resume', 'mail')).toMatchObject({ code: 0, stdout: 'queue mail was not paused\n', stderr: '' });
    const [open] = await db.pool.query<RowDataPacket[]>(
      'SELECT queue, paused_at IS NULL AS open FROM background_job_queues',
    );
    expect(open).toEqual([{ queue: 'mail', open: 1 }]);
  });

  test('a queue that holds no job is probably a slip', async () => {
    await insertJob(db, { queue: 'email', status: 'completed' });
    expect((await tell('pause', 'emial')).stderr).toBe('rowlock: no job is in queue emial; did you mean email?\n');
    expect((await tell('resume', 'nothing.like.it')).stderr).toBe('rowlock: no job is in queue nothing.like.it\n');
  });
});
