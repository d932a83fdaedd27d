import { createDatabase, type TestDatabase } from './support/database';
import { type Ended, rowlock } from './support/rowlock';
import { insertJob, insertRow } from './support/rows';

let db: TestDatabase;

beforeEach(async () => {
  db = await createDatabase();
});

afterEach(() => db.drop());

const ask = (...args: string[]): Promise<Ended> => rowlock(args, { env: { DATABASE_URL: db.urls.viewer } });

const askJson = async (...args: string[]): Promise<unknown> => JSON.parse((await ask(...args, '--json')).stdout);

const aRun = (columns: Record<string, unknown> = {}): Promise<number> =>
  insertRow(db, 'background_job_runs', { id: 9_007_199_254_740_991n, host: 'web1', pid: 42, ...columns });

const sql = (statement: string, values: unknown[] = []) => db.pool.query(statement, values);

describe('status', () => {
  test('opens with a verdict', async () => {
    await aRun({ failed: 1, completed: 5 });
    await sql('UPDATE background_job_runs SET started_at = NOW(3) - INTERVAL 12 SECOND, finished_at = NOW(3)');
    const [first] = [await insertJob(db), await insertJob(db), await insertJob(db)];
    await sql('UPDATE background_jobs SET run_at = NOW(3) - INTERVAL 8 SECOND WHERE id = ?', [first]);
    const { code, stdout, stderr } = await ask('status', '--check');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^OK: last run 1[2-4] s ago, 3 due, oldest ([89]|10) s, 1 failed today\n/);
    expect(stdout).toContain('5 completed today');
  });

  test('is not OK before the first run', async () => {
    const { code, stdout } = await ask('status', '--check');
    expect(code).toBe(1);
    expect(stdout).toMatch(/^NOT OK: no run yet, .*crontab; 0 due, 0 failed today\n/);
    expect((await ask('status')).code).toBe(0);
  });

  test("counts by queue and status, with pauses, live runs, unknown types, and an old script's rows", async () => {
    await aRun({ selection: 'all', slot: 0, claimed: 3, lease_expires_at: new Date(Date.now() + 3_600_000) });
    const held = { status: 'running', run_id: 9_007_199_254_740_991n };
    for (const columns of [
      {},
      { priority: 5 },
      { queue: 'mail' },
      { status: 'completed' },
      { status: 'completed', queue: 'mail' },
      { status: 'failed' },
      { queue: '', status: 'failed' },
      held,
      { status: 'running' },
    ]) {
      await insertJob(db, columns);
    }
    await sql("INSERT INTO background_jobs (job_type, run_at) VALUES ('later', NOW(3) + INTERVAL 1 DAY)");
    await sql(
      "INSERT INTO background_jobs (job_type, run_id, started_at, run_at) VALUES ('nobody.knows', 1, NOW(3), NOW(3) + INTERVAL 1 MINUTE)",
    );
    await rowlock(['pause', 'mail'], { env: { DATABASE_URL: db.urls.worker } });

    const status = await askJson('status');
    const counts = {
      pending: 0,
      due: 0,
      later: 0,
      running: 0,
      completed: 0,
      failed: 0,
      oldest_due_ms: null,
      paused_at: null,
    };
    expect(status).toMatchObject({
      ok: true,
      queues: [
        { ...counts, queue: '', failed: 1 },
        {
          ...counts,
          queue: 'default',
          pending: 4,
          due: 2,
          later: 2,
          running: 2,
          completed: 1,
          failed: 1,
          oldest_due_ms: expect.any(Number),
        },
        {
          ...counts,
          queue: 'mail',
          pending: 1,
          due: 1,
          completed: 1,
          oldest_due_ms: expect.any(Number),
          paused_at: expect.any(String),
        },
      ],
      unknown_types: [{ job_type: 'nobody.knows', jobs: 1 }],
      running_without_run: 1,
      runs: [{ id: 9_007_199_254_740_991, host: 'web1', pid: 42, alive: true, claimed: 3, selection: 'all' }],
    });

    const { stdout } = await ask('status');
    expect(stdout).toMatch(/^mail +1 +\d+ s +0 +0 +1 +0 +paused \d+ s ago/m);
    expect(stdout).toMatch(/^run 9007199254740991 on web1, pid 42: live, started/m);
    expect(stdout).toContain('no worker knows the type nobody.knows: 1 job waits for one that does');
    expect(stdout).toContain('1 running row is held by no run but by an older script');
    expect(stdout).toMatch(/^OK: last run \d+ s ago, 2 due/);
  });

  test('--queue looks at one queue, and knows a slip of the finger', async () => {
    await aRun();
    await insertJob(db, { queue: 'email' });
    await insertJob(db, { queue: 'reports', status: 'running' });
    expect(await askJson('status', '--queue', 'email')).toMatchObject({
      queues: [{ queue: 'email', due: 1 }],
      running_without_run: 0,
    });
    expect((await ask('status', '--queue', 'emial')).stderr).toBe(
      'rowlock: no job is in queue emial; did you mean email?\n',
    );
  });

  test('a run whose lease has expired is told as such', async () => {
    await aRun({ lease_expires_at: new Date(Date.now() - 60_000) });
    expect((await ask('status')).stdout).toContain('lease expired, the next run closes it');
  });
});

describe('list', () => {
  test('shows the newest first, under a head', async () => {
    await insertJob(db, {
      status: 'failed',
      attempts: 8,
      last_error: 'ECONNREFUSED\nat line 2',
      processed_at: new Date(),
    });
    await insertJob(db, {
      status: 'failed',
      last_error: 'cancelled',
      cancelled_at: new Date(),
      processed_at: new Date(),
    });
    await insertJob(db, { job_type: 'émoji.😀', queue: 'mail' });
    const { code, stdout } = await ask('list');
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    expect(lines[0]).toMatch(/^id +type +queue +status +attempts +when +last error$/);
    expect(lines[1]).toMatch(/^3 +émoji\.😀 +mail +pending +0 +due \d+ s ago \(\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ\)$/);
    expect(lines[2]).toMatch(/failed \(cancelled\)/);
    expect(lines[3]).toMatch(/^1 +test\.echo +default +failed +8 +-?\d+ .*ECONNREFUSED$/);
  });

  test('filters by status, type and queue, and ends at the limit', async () => {
    for (const status of ['pending', 'running', 'completed', 'failed']) {
      for (const queue of ['default', 'mail']) {
        for (const job_type of ['a', 'b']) await insertJob(db, { status, queue, job_type });
      }
    }
    const idsOf = async (...args: string[]) =>
      ((await askJson('list', ...args)) as { id: number }[]).map(({ id }) => id);
    expect(await idsOf('--limit', '3')).toEqual([16, 15, 14]);
    expect(await idsOf('--status', 'failed')).toEqual([16, 15, 14, 13]);
    expect(await idsOf('--status', 'failed', '--limit', '1')).toEqual([16]);
    expect(await idsOf('--status', 'completed', '--queue', 'mail')).toEqual([12, 11]);
    expect(await idsOf('--status', 'pending', '--queue', 'mail', '--type', 'b')).toEqual([4]);
    expect(await idsOf('--type', 'b', '--queue', 'default')).toEqual([14, 10, 6, 2]);
    expect(await askJson('list', '--type', 'c')).toEqual([]);
    expect((await ask('list', '--type', 'c')).stdout).toBe('no such jobs\n');
  });
});

describe('show', () => {
  test('tells everything of a job, exactly', async () => {
    await aRun({ outcome: 'finished', finished_at: new Date() });
    const id = await insertJob(db, {
      payload: '{"n": 18446744073709551615, "s": "😀\\u001b[2J"}',
      checkpoint: '{"at": 9007199254740993}',
      status: 'failed',
      attempts: 2,
      max_attempts: 2,
      crashes: 1,
      progress: 0.5,
      unique_key: 'key',
      run_id: 9_007_199_254_740_991n,
      started_at: new Date(),
      processed_at: new Date(),
      last_error: 'Error: second\nline two',
    });
    for (const [attempt, error] of [
      [1, 'Error: first'],
      [2, 'Error: second\nline two'],
    ] as const) {
      await insertRow(db, 'background_job_errors', { job_id: id, attempt, run_id: 7, error });
    }

    const { stdout } = await ask('show', String(id));
    for (const line of [
      /^job +1 {2}test\.echo$/m,
      /^status +failed$/m,
      /^attempts +2 of 2, 1 of its workers died$/m,
      /^progress +50 %$/m,
      /^unique key +key$/m,
      /^run +9007199254740991 on web1, pid 42, finished/m,
      /^ {4}"n": 18446744073709551615,$/m,
      /^ {4}"at": 9007199254740993$/m,
      /^ {2}attempt 2, .*\n {4}Error: second\n {4}line two\n {2}attempt 1, .*\n {4}Error: first$/m,
    ]) {
      expect(stdout).toMatch(line);
    }
    expect(stdout).not.toContain('\u001b');

    const json = (await ask('show', String(id), '--json')).stdout;
    expect(json).toContain('"payload":{"n": 18446744073709551615, "s": "😀\\u001b[2J"}');
    expect(json).toContain('"checkpoint":{"at": 9007199254740993}');
    expect(JSON.parse(json)).toMatchObject({
      id,
      job_type: 'test.echo',
      status: 'failed',
      attempts: 2,
      run_id: 9_007_199_254_740_991,
      run: { host: 'web1', pid: 42, outcome: 'finished' },
      errors: [
        { attempt: 2, run_id: 7 },
        { attempt: 1, error: 'Error: first' },
      ],
      last_error: 'Error: second\nline two',
      result: null,
    });
  });

  test('a job that is not there', async () => {
    expect(await ask('show', '4711')).toMatchObject({ code: 1, stdout: '', stderr: 'rowlock: there is no job 4711\n' });
  });
});
