import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { dumpDatabase } from './support/tables';
import { until } from './support/until';
import { openWorkshop, type Workshop } from './support/workshop';

const SILENT_SUCCESS = { code: 0, signal: null, stdout: '', stderr: '' };

let shop: Workshop;

beforeAll(async () => {
  shop = await openWorkshop('run-jobs.js');
});

beforeEach(() => shop.clear());

const statuses = async () =>
  Object.fromEntries((await shop.rows('SELECT id, status FROM background_jobs')).map(({ id, status }) => [id, status]));

/** As any other app would: by the client where there is one, else by the driver. */
async function insertByClient(sql: string): Promise<void> {
  const { hostname, port, username, password, pathname } = new URL(shop.db.urls.producer);
  const args = ['-h', hostname, '-P', port, '-u', decodeURIComponent(username), '--default-character-set=utf8mb4'];
  const env = { ...process.env, MYSQL_PWD: decodeURIComponent(password) };
  for (const client of ['mariadb', 'mysql']) {
    try {
      await promisify(execFile)(client, [...args, '-e', sql, pathname.slice(1)], { env });
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  await shop.db.producer.query(sql);
}

test('a row that another app inserts is completed, and nothing is printed', async () => {
  await insertByClient(`INSERT INTO background_jobs (job_type, payload) VALUES ('echo', '{"to": "Zoë 😀"}')`);
  expect(await shop.run()).toEqual(SILENT_SUCCESS);
  const [job] = await shop.rows('SELECT * FROM background_jobs');
  expect(job).toMatchObject({ status: 'completed', attempts: 1, crashes: 0, last_error: null });
  expect(JSON.parse(String(job?.['result']))).toEqual({ to: 'Zoë 😀' });
  expect(job?.['processed_at']).toBeInstanceOf(Date);
});

test('a run leaves its counts in the ledger, also when nothing was due', async () => {
  await shop.run();
  await shop.add('echo');
  await shop.add('echo');
  await shop.add('fail');
  await shop.add('fail', null, { max_attempts: 1 });
  await shop.add('nobody.knows');
  await shop.run();
  const runs = await shop.rows(
    `SELECT outcome, claimed, completed, retried, failed, released, slot, pid > 0 AS pid, finished_at >= started_at AS closed
     FROM background_job_runs ORDER BY started_at`,
  );
  const ended = { outcome: 'finished', slot: 0, pid: 1, closed: 1 };
  expect(runs).toEqual([
    { ...ended, slot: runs[0]?.['slot'], claimed: 0, completed: 0, retried: 0, failed: 0, released: 0 },
    { ...ended, slot: runs[1]?.['slot'], claimed: 5, completed: 2, retried: 1, failed: 1, released: 1 },
  ]);
  const [job] = await shop.rows(
    `SELECT r.outcome FROM background_jobs AS j JOIN background_job_runs AS r ON r.id = j.run_id WHERE j.status = 'completed'`,
  );
  expect(job).toEqual({ outcome: 'finished' });
});

describe('what is printed', () => {
  test('a retry is silent, and its error is kept', async () => {
    const id = await shop.add('fail', 'the first line\nand another');
    expect(await shop.run()).toEqual(SILENT_SUCCESS);
    expect(await shop.job(id)).toMatchObject({
      status: 'pending',
      attempts: 1,
      last_error: 'the first line\nand another',
    });
    expect(await shop.rows('SELECT job_id, attempt, error FROM background_job_errors')).toEqual([
      { job_id: id, attempt: 1, error: 'the first line\nand another' },
    ]);
  });

  test('dead letters are one line, grouped by type', async () => {
    const first = await shop.add('fail', 'ECONNREFUSED\n127.0.0.1', { max_attempts: 1 });
    const second = await shop.add('fail', 'ECONNREFUSED\n127.0.0.1', { max_attempts: 1 });
    const third = await shop.add('strict', {}, { priority: 1 });
    const { code, stdout, stderr } = await shop.run();
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    const lines = stderr.trimEnd().split('\n');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(
      new RegExp(
        `^rowlock: 3 jobs failed for good: fail \\(${first}, ${second}\\): ECONNREFUSED 127\\.0\\.0\\.1; strict \\(${third}\\): payload refused: .*; see rowlock show ${first}$`,
      ),
    );
  });

  test('with --fail-on-error a dead letter makes the exit code 1, and a retry does not', async () => {
    const id = await shop.add('fail', 'no luck', { max_attempts: 1 });
    const stderr = `rowlock: 1 job failed for good: fail (${id}): no luck; see rowlock show ${id}\n`;
    expect(await shop.run(['--fail-on-error'])).toEqual({ code: 1, signal: null, stdout: '', stderr });
    await shop.add('fail');
    expect(await shop.run(['--fail-on-error'])).toEqual(SILENT_SUCCESS);
  });

  test('LOG_LEVEL=info gives JSON lines, one event each, and LOG_FILE gets them too', async () => {
    const id = await shop.add('echo', 'a secret');
    const file = shop.path('run.log');
    const { stdout, stderr } = await shop.run([], { LOG_LEVEL: 'info', LOG_FILE: file });
    const events = stderr
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(stdout).toBe('');
    expect(events.map(({ event }) => event)).toEqual(['run.started', 'job.completed', 'run.finished']);
    expect(events[1]).toMatchObject({ level: 'info', job_id: id, job_type: 'echo', attempt: 1 });
    expect(events[2]).toMatchObject({ outcome: 'finished', claimed: 1, completed: 1, failed: 0 });
    expect(stderr).not.toContain('a secret');
    const filed = readFileSync(file, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(filed.map(({ event, job_id }) => [event, job_id])).toEqual(
      events.map(({ event, job_id }) => [event, job_id]),
    );
  });
});

describe('--dry-run', () => {
  test('says what would run and writes nothing at all', async () => {
    await shop.add('echo');
    await shop.add('echo');
    await shop.add('nobody.knows', null, { queue: 'mail', priority: 3 });
    await shop.db.pool.query(
      `INSERT INTO background_job_runs (id, host, pid, lease_expires_at) VALUES (7, 'gone', 1, '2020-01-01')`,
    );
    await shop.add('echo', null, { status: 'running', run_id: 7, attempts: 1 });
    const before = await dumpDatabase(shop.db.pool);
    const { code, stdout, stderr } = await shop.run(['--dry-run']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('would run 2 of echo from queue default, priority 0\n');
    expect(stdout).toMatch(/would run 1 of nobody\.knows from queue mail, priority 3 \(no job function/);
    expect(await dumpDatabase(shop.db.pool)).toEqual(before);
  });
});

describe('--id', () => {
  test('runs these jobs and no others, whatever their time or their queue’s pause, and rescues nothing', async () => {
    await shop.db.pool.query(`INSERT INTO background_job_queues (queue, paused_at) VALUES ('mail', NOW(3))`);
    const later = await shop.add('echo', 1, { run_at: '2037-12-31 23:59:59' });
    const paused = await shop.add('echo', 2, { queue: 'mail' });
    const other = await shop.add('echo', 3);
    const orphan = await shop.add('echo', 4, { status: 'running', run_id: 5, attempts: 1 });
    expect(await shop.run(['--id', String(later), '--id', String(paused), '--id', String(paused)])).toEqual(
      SILENT_SUCCESS,
    );
    expect(await statuses()).toEqual({
      [later]: 'completed',
      [paused]: 'completed',
      [other]: 'pending',
      [orphan]: 'running',
    });
  });

  test('exits 1 unless each of them was completed, and says why', async () => {
    const good = await shop.add('echo');
    const bad = await shop.add('fail', 'no luck');
    expect(await shop.run(['--id', `${good},${bad}`])).toMatchObject({ code: 1 });
    expect(await statuses()).toEqual({ [good]: 'completed', [bad]: 'pending' });
    const again = await shop.run(['--id', String(good)]);
    expect(again).toMatchObject({ code: 1, stdout: '' });
    expect(again.stderr).toContain(`job ${good} was not run: it is completed`);
    const absent = await shop.run(['--id', '987654321']);
    expect(absent).toMatchObject({ code: 1, stdout: '' });
    expect(absent.stderr).toContain('job 987654321 was not run: there is no such job');
  });
});

test('a fault that no retry mends ends the run with its own words and mend, in one line', async () => {
  const id = await shop.add('once.active.gated');
  const run = shop.start();
  await until(() => shop.notes().includes('began'), 'the job runs');
  await shop.db.pool.query('RENAME TABLE background_job_errors TO hidden');
  try {
    shop.openGate('fail');
    const { code, stdout, stderr } = await run.ended;
    expect({ code, stdout }).toEqual({ code: 78, stdout: '' });
    expect(stderr).toMatch(/^rowlock: Table '.*background_job_errors' doesn't exist; run rowlock migrate\n$/);
    expect(await shop.rows('SELECT outcome FROM background_job_runs')).toEqual([{ outcome: 'error' }]);
  } finally {
    await shop.db.pool.query('RENAME TABLE hidden TO background_job_errors');
  }
  await shop.run();
  expect(await shop.job(id)).toMatchObject({ status: 'pending', attempts: 1, last_error: 'no luck' });
});
