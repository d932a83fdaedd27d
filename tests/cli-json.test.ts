import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDatabase, type TestDatabase } from './support/database';
import { type Ended, rowlock } from './support/rowlock';
import { insertJob, readJob } from './support/rows';

let db: TestDatabase;
let folder: string;
let jobs: string;

beforeAll(async () => {
  db = await createDatabase();
  folder = mkdtempSync(join(tmpdir(), 'rowlock-json-'));
  jobs = join(folder, 'jobs.cjs');
  writeFileSync(jobs, `module.exports = [{ type: 'active', unique: 'active', run() {} }, { type: 'kept', run() {} }];`);
});

beforeEach(() => db.pool.query('DELETE FROM background_jobs'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ask = (...args: string[]): Promise<Ended> => rowlock(args, { env: { DATABASE_URL: db.url, ROWLOCK_JOBS: jobs } });

/** One line of JSON on the standard output, and nothing beside it. */
async function askJson(...args: string[]): Promise<{ code: number | null; json: unknown }> {
  const { code, stdout, stderr } = await ask(...args, '--json');
  expect(stderr).toBe('');
  expect(stdout.endsWith('\n') && stdout.trimEnd().split('\n')).toHaveLength(1);
  return { code, json: JSON.parse(stdout) };
}

test('retry tells what became of each id', async () => {
  const [active, kept, pending] = [
    await insertJob(db, { job_type: 'active', status: 'failed' }),
    await insertJob(db, { job_type: 'kept', status: 'failed', unique_key: 'k' }),
    await insertJob(db),
  ];
  const NOBODY = '18446744073709551615';
  expect(await ask('retry', ...[active, kept, pending].map(String), NOBODY, '--json')).toMatchObject({
    code: 1,
    stderr: '',
    stdout:
      `[{"id":${active},"job_type":"active","outcome":"revived","status_before":"failed","unique_key_freed":true},` +
      `{"id":${kept},"job_type":"kept","outcome":"revived","status_before":"failed","unique_key_freed":false},` +
      `{"id":${pending},"job_type":"test.echo","outcome":"left","status_before":"pending"},` +
      `{"id":${NOBODY},"outcome":"unknown"}]\n`,
  });
  expect(await readJob(db, active)).toMatchObject({ status: 'pending' });
  expect(await askJson('retry', '--failed')).toEqual({ code: 0, json: [] });
});

test('cancel tells what became of each id', async () => {
  const [pending, running, orphan, failed] = [
    await insertJob(db),
    await insertJob(db, { status: 'running', run_id: 1 }),
    await insertJob(db, { status: 'running' }),
    await insertJob(db, { status: 'failed' }),
  ];
  expect(await askJson('cancel', ...[pending, running, orphan, failed].map(String), '99999999')).toEqual({
    code: 1,
    json: [
      { id: pending, job_type: 'test.echo', outcome: 'cancelled', status_before: 'pending' },
      { id: running, job_type: 'test.echo', outcome: 'requested', status_before: 'running' },
      { id: orphan, job_type: 'test.echo', outcome: 'left', status_before: 'running' },
      { id: failed, job_type: 'test.echo', outcome: 'left', status_before: 'failed' },
      { id: 99_999_999, outcome: 'unknown' },
    ],
  });
});

test('pause and resume tell how the queue is and was', async () => {
  await insertJob(db, { queue: 'mail' });
  expect((await askJson('pause', 'mail')).json).toEqual({ queue: 'mail', paused: true, was_paused: false });
  expect((await askJson('pause', 'mail')).json).toEqual({ queue: 'mail', paused: true, was_paused: true });
  expect((await askJson('resume', 'mail')).json).toEqual({ queue: 'mail', paused: false, was_paused: true });
  expect((await askJson('resume', 'mail')).json).toEqual({ queue: 'mail', paused: false, was_paused: false });
});

test('run --dry-run tells what is due', async () => {
  expect(await askJson('run', '--dry-run')).toEqual({ code: 0, json: [] });
  for (const columns of [{ job_type: 'kept' }, { job_type: 'kept' }, { queue: 'mail', priority: -5 }]) {
    await insertJob(db, columns);
  }
  expect((await askJson('run', '--dry-run')).json).toEqual([
    { queue: 'default', priority: 0, job_type: 'kept', due: 2, known: true },
    { queue: 'mail', priority: -5, job_type: 'test.echo', due: 1, known: false },
  ]);
});

test('run --json without --dry-run is refused, and nothing is run', async () => {
  const id = await insertJob(db, { job_type: 'kept' });
  expect(await ask('run', '--json')).toMatchObject({
    code: 64,
    stdout: '',
    stderr: 'rowlock: --json goes with --dry-run; LOG_LEVEL=info tells of a run in JSON lines\n',
  });
  expect(await readJob(db, id)).toMatchObject({ status: 'pending' });
});
