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
import { expectBetween, findFaults, readSamples, type Samples } from './support/prometheus';
import { insertRow } from './support/rows';
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

const fileAt = (name = 'rowlock.prom') => join(folder, name);

/** The numbers of the file, which has no fault. */
function readFile(name?: string): Samples {
  const text = readFileSync(fileAt(name), 'utf8');
  expect(findFaults(text)).toBe('');
  return readSamples(text, ['database']);
}

const runWithFile = (args: string[] = [], env: Record<string, string> = {}) =>
  shop.run(args, { ROWLOCK_METRICS_FILE: fileAt(), ...env });

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
    await insertRow(shop.db, 'background_job_runs', {
      id: 7,
      host: hostname(),
      pid: 42,
      slot: 0,
      lease_expires_at: new Date(Date.now() + 3_600_000),
    });
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
