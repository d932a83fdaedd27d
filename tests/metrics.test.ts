import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFaults, readSamples, type Samples } from './support/prometheus';
import { rowlock } from './support/rowlock';
import { insertRow, readClock } from './support/rows';
import { openWorkshop, type Workshop } from './support/workshop';

const AWAY = 'mysql://app:s3cret@127.0.0.1:1/shop';

let shop: Workshop;
let folder: string;

beforeAll(async () => {
  shop = await openWorkshop('run-jobs.js');
}, 120_000); // the first that wants promtool waits for its download

beforeEach(async () => {
  await shop.clear();
  folder = mkdtempSync(join(tmpdir(), 'rowlock-metrics-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const aRun = (id: number, columns: Record<string, unknown> = {}) =>
  insertRow(shop.db, 'background_job_runs', { id, host: 'web1', pid: 42, ...columns });

async function askMetrics(): Promise<Samples> {
  const { code, stdout, stderr } = await shop.rowlock(['metrics']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(findFaults(stdout)).toBe('');
  return readSamples(stdout, ['database']);
}

const fileAt = (name = 'rowlock.prom') => join(folder, name);

/** The numbers of the file, which has no fault. */
function readFile(name?: string): Samples {
  const text = readFileSync(fileAt(name), 'utf8');
  expect(findFaults(text)).toBe('');
  return readSamples(text, ['database']);
}

const runWithFile = (args: string[] = [], env: Record<string, string> = {}) =>
  shop.run(args, { ROWLOCK_METRICS_FILE: fileAt(), ...env });

/** A time in seconds, as Prometheus has it, is between two in milliseconds. */
function expectBetween(seconds: number | undefined, from: number, to: number): void {
  const ms = Math.round((seconds ?? 0) * 1_000);
  expect(ms).toBeGreaterThanOrEqual(from);
  expect(ms).toBeLessThanOrEqual(to);
}

describe('rowlock metrics', () => {
  test('tells what stands in the tables', async () => {
    const begun = await readClock(shop.db);
    const live = { lease_expires_at: new Date(Date.now() + 3_600_000) };
    await aRun(1, { ...live, slot: 0, completed: 3, failed: 1 });
    await aRun(2, { started_at: new Date(Date.now() - 600_000), lease_expires_at: new Date(Date.now() - 60_000) });
    const ended = { finished_at: new Date(), started_at: new Date(Date.now() - 500_000) };
    await aRun(3, { ...ended, outcome: 'finished', completed: 5, retried: 2, released: 4 });
    await aRun(4, { ...ended, outcome: 'finished', failed: 1 });
    await aRun(5, { ...ended, outcome: 'lost' });
    const yesterday = new Date(Date.now() - 86_400_000 - 60_000);
    await aRun(6, { outcome: 'error', started_at: yesterday, finished_at: yesterday, failed: 100 });

    await shop.add('echo', 1, { run_at: new Date(Date.now() - 90_000) });
    await shop.add('echo', 1, { priority: 5 });
    await shop.add('echo', 1, { run_at: '2037-12-31' });
    await shop.add('echo', 1, { status: 'running', run_id: 1 });
    await shop.add('echo', 1, { status: 'running' });
    await shop.add('echo', 1, { status: 'completed' });
    for (const columns of [{}, {}, { cancelled_at: new Date() }])
      await shop.add('echo', 1, { status: 'failed', ...columns });
    await shop.add('echo', 1, { queue: 'mail' });
    await shop.db.pool.query(`INSERT INTO background_job_queues (queue, paused_at) VALUES ('mail', NOW(3))`);

    const asked = await readClock(shop.db);
    const samples = await askMetrics();
    const answered = await readClock(shop.db);
    expect(samples).toEqual({
      'rowlock_build_info{version="0.1.0"}': 1,
      rowlock_up: 1,
      rowlock_last_run_timestamp_seconds: expect.any(Number),
      rowlock_read_timestamp_seconds: expect.any(Number),
      'rowlock_jobs{queue="default",status="due"}': 2,
      'rowlock_jobs{queue="default",status="later"}': 1,
      'rowlock_jobs{queue="default",status="running"}': 2,
      'rowlock_jobs{queue="default",status="completed"}': 1,
      'rowlock_jobs{queue="default",status="failed"}': 3,
      'rowlock_jobs{queue="mail",status="due"}': 1,
      'rowlock_jobs{queue="mail",status="later"}': 0,
      'rowlock_jobs{queue="mail",status="running"}': 0,
      'rowlock_jobs{queue="mail",status="completed"}': 0,
      'rowlock_jobs{queue="mail",status="failed"}': 0,
      'rowlock_dead_letters{queue="default"}': 2,
      'rowlock_dead_letters{queue="mail"}': 0,
      'rowlock_oldest_due_seconds{queue="default"}': expect.any(Number),
      'rowlock_oldest_due_seconds{queue="mail"}': expect.any(Number),
      'rowlock_queue_paused{queue="default"}': 0,
      'rowlock_queue_paused{queue="mail"}': 1,
      rowlock_running_without_run: 1,
      rowlock_runs_live: 1,
      'rowlock_runs_today{outcome="finished"}': 2,
      'rowlock_runs_today{outcome="stopped"}': 0,
      'rowlock_runs_today{outcome="skipped"}': 0,
      'rowlock_runs_today{outcome="lost"}': 1,
      'rowlock_runs_today{outcome="error"}': 0,
      'rowlock_attempts_today{outcome="completed"}': 8,
      'rowlock_attempts_today{outcome="retried"}': 2,
      'rowlock_attempts_today{outcome="failed"}': 2,
      'rowlock_attempts_today{outcome="released"}': 4,
    });
    const oldest = samples['rowlock_oldest_due_seconds{queue="default"}'] ?? 0;
    expect(oldest).toBeGreaterThanOrEqual(85);
    expect(oldest).toBeLessThan(600);
    expectBetween(samples['rowlock_last_run_timestamp_seconds'], begun, asked);
    expectBetween(samples['rowlock_read_timestamp_seconds'], asked, answered);
  });

  test('of tables that are empty it tells nothing that is not known', async () => {
    const samples = await askMetrics();
    expect(samples).toMatchObject({ rowlock_up: 1, rowlock_runs_live: 0, 'rowlock_runs_today{outcome="lost"}': 0 });
    expect(Object.keys(samples).filter((name) => /last_run|queue=/.test(name))).toEqual([]);
  });

  test('names of any kind arrive as they are', async () => {
    const names = [
      '',
      ' ',
      'a"b',
      'back\\slash',
      'two\nlines',
      'a\r\t\u0001',
      '😀 ünï',
      '{queue="x"} 1',
      'a,status:due',
    ];
    for (const queue of names) await shop.add('echo', 1, { queue });
    const { stdout } = await shop.rowlock(['metrics']);
    expect(findFaults(stdout)).toBe('');
    const queues = Object.keys(readSamples(stdout, ['database']))
      .map((sample) => /^rowlock_dead_letters\{queue="(.*)"\}$/s.exec(sample)?.[1])
      .filter((queue) => queue !== undefined)
      .map((queue) => queue.replaceAll(/\\(.)/g, (_all, letter: string) => (letter === 'n' ? '\n' : letter)));
    // Trailing spaces do not count in a queue's name.
    expect(new Set(queues)).toEqual(new Set(names.filter((name) => name !== ' ')));
  });

  test('of types that nobody knows it names twenty, those with the most jobs', async () => {
    const columns = { attempts: 0, run_id: 1, started_at: new Date(Date.now() - 60_000) };
    for (let n = 0; n < 25; n++) {
      const jobs = n < 5 ? 1 : 2;
      for (let job = 0; job < jobs; job++) {
        await shop.add(`unknown.${n}`, 1, { ...columns, run_at: new Date(Date.now() + 600_000) });
      }
    }
    const told = Object.entries(await askMetrics()).filter(([name]) => name.startsWith('rowlock_unknown_type_jobs'));
    expect(told.map(([, jobs]) => jobs)).toEqual(Array(20).fill(2));
  });

  test('when the server is down nothing is printed, and it exits 69', async () => {
    const ended = await rowlock(['metrics'], { env: { DATABASE_URL: AWAY } });
    expect(ended).toMatchObject({ code: 69, stdout: '' });
    expect(ended.stderr).toMatch(/^rowlock: the database server at 127\.0\.0\.1:1 does not answer .*\n$/);
  });
});

describe('--metrics-file', () => {
  test('is written after the run, with the numbers of the queue and of this run, for everybody to read', async () => {
    await shop.add('echo');
    await shop.add('fail');
    await shop.add('fail', 'no luck', { max_attempts: 1 });
    writeFileSync(fileAt(), 'an old file');
    chmodSync(fileAt(), 0o600);
    const reader = openSync(fileAt(), 'r');
    const before = process.umask(0o077);
    const startedAt = Date.now();
    try {
      expect((await runWithFile(['--fail-on-error'])).code).toBe(1);
    } finally {
      process.umask(before);
    }
    const samples = readFile();
    expect(samples).toMatchObject({
      rowlock_up: 1,
      'rowlock_jobs{queue="default",status="completed"}': 1,
      'rowlock_jobs{queue="default",status="later"}': 1,
      'rowlock_dead_letters{queue="default"}': 1,
      'rowlock_runs_today{outcome="finished"}': 1,
      rowlock_runs_live: 0,
      rowlock_last_run_exit_code: 1,
      rowlock_last_run_claimed: 3,
      'rowlock_last_run_attempts{outcome="completed"}': 1,
      'rowlock_last_run_attempts{outcome="retried"}': 1,
      'rowlock_last_run_attempts{outcome="failed"}': 1,
      'rowlock_last_run_attempts{outcome="released"}': 0,
    });
    expect(samples['rowlock_last_run_duration_seconds']).toBeGreaterThan(0);
    expectBetween(samples['rowlock_last_run_end_timestamp_seconds'], startedAt, Date.now());
    expect(statSync(fileAt()).mode & 0o777).toBe(0o644);
    // Whoever had the old file open reads it to its end.
    expect(readFileSync(reader, 'utf8')).toBe('an old file');
    closeSync(reader);
    expect(readdirSync(folder)).toEqual(['rowlock.prom']);
  });

  test('a run that is skipped writes it too', async () => {
    await aRun(7, { host: hostname(), slot: 0, lease_expires_at: new Date(Date.now() + 3_600_000) });
    expect((await runWithFile()).code).toBe(0);
    expect(readFile()).toMatchObject({
      rowlock_last_run_exit_code: 0,
      rowlock_last_run_claimed: 0,
      rowlock_runs_live: 1,
      'rowlock_runs_today{outcome="skipped"}': 1,
    });
  });

  test('when the server is down it tells that, and nothing of the queue', async () => {
    await shop.add('echo');
    await runWithFile();
    expect(readFile()).toHaveProperty(['rowlock_jobs{queue="default",status="completed"}'], 1);
    const startedAt = Date.now();
    expect(await runWithFile([], { DATABASE_URL: AWAY })).toMatchObject({ code: 69, stdout: '' });
    const samples = readFile();
    expect(samples).toEqual({
      'rowlock_build_info{version="0.1.0"}': 1,
      rowlock_up: 0,
      rowlock_last_run_timestamp_seconds: expect.any(Number),
      rowlock_last_run_exit_code: 69,
      rowlock_last_run_end_timestamp_seconds: expect.any(Number),
      rowlock_last_run_duration_seconds: expect.any(Number),
    });
    expectBetween(samples['rowlock_last_run_timestamp_seconds'], startedAt, Date.now());
    expect(readFileSync(fileAt(), 'utf8')).not.toContain('s3cret');
  });

  test('when its numbers cannot be read, one line says so; the run ends as it would', async () => {
    await shop.db.pool.query('ALTER TABLE background_job_runs RENAME COLUMN released TO given_back');
    try {
      const { code, stderr } = await runWithFile();
      expect({ code, stderr }).toEqual({
        code: 0,
        stderr: expect.stringMatching(/^rowlock: the metrics file has no numbers of the queue: .*released.*\n$/),
      });
    } finally {
      await shop.db.pool.query('ALTER TABLE background_job_runs RENAME COLUMN given_back TO released');
    }
    expect(readFile()).toMatchObject({ rowlock_up: 0, rowlock_last_run_exit_code: 0, rowlock_last_run_claimed: 0 });
  });

  test.each([
    ['in a folder that is not there', () => join(folder, 'absent', 'rowlock.prom'), 'ENOENT'],
    ['in a file', () => join(__filename, 'rowlock.prom'), 'ENOTDIR'],
    ['in the place of a folder', () => join(folder, 'folder.prom'), 'EISDIR'],
  ])('%s it is not written: one line says so, and the run ends as it would', async (_where, path, why) => {
    mkdirSync(fileAt('folder.prom'));
    const id = await shop.add('echo');
    const { code, stdout, stderr } = await shop.run(['--metrics-file', path()]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    expect(stderr).toBe(
      `rowlock: the metrics file ${path()} was not written (${why}); see that its folder is there, has room and lets this user write, or correct --metrics-file\n`,
    );
    expect(await shop.job(id)).toMatchObject({ status: 'completed' });
    expect(readdirSync(folder)).toEqual(['folder.prom']);
  });

  test('is not written for jobs that a person names, or for a look', async () => {
    const id = await shop.add('echo');
    await runWithFile(['--dry-run']);
    await runWithFile(['--id', String(id)]);
    expect(existsSync(fileAt())).toBe(false);
  });

  test('a name that no exporter reads is refused', async () => {
    expect(await shop.run(['--metrics-file', fileAt('rowlock.txt')])).toMatchObject({
      code: 64,
      stderr: `rowlock: --metrics-file "${fileAt('rowlock.txt')}" does not end in .prom, as a file for node_exporter has to\n`,
    });
  });
});
