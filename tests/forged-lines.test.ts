import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDatabase, type TestDatabase } from './support/database';
import { type Ended, rowlock } from './support/rowlock';

// A producer chooses types, queues and keys: none of them makes a line of its own, or commands the terminal that it is shown on.

const NAME = 'a\nrowlock: OK: last run 1 s ago, 0 due\r\u001b[2J\u001b]0;mine\u0007\u009b31m\u202eb';
const UNSAFE = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u;

const folder = mkdtempSync(join(tmpdir(), 'rowlock-lines-'));
const jobs = join(folder, 'jobs.cjs');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let db: TestDatabase;
let ids: string[];

beforeAll(async () => {
  db = await createDatabase();
  writeFileSync(
    jobs,
    `module.exports = [{ type: ${JSON.stringify(NAME)}, maxAttempts: 1, run() { throw new Error(${JSON.stringify(NAME)}); } }];`,
  );
  const insert =
    'INSERT INTO background_jobs (job_type, queue, unique_key, run_at) VALUES (?, ?, ?, NOW(3) - INTERVAL 1 HOUR)';
  for (const key of ['1', '2', '3']) await db.pool.query(insert, [NAME, NAME, NAME + key]);
  await db.pool.query(insert, [`unknown ${NAME}`, NAME, null]);
  const [rows] = await db.pool.query('SELECT id FROM background_jobs ORDER BY id');
  ids = (rows as { id: number }[]).map(({ id }) => String(id));
});

const ask = (args: string[], env: Record<string, string> = {}): Promise<Ended> =>
  rowlock(args, { env: { DATABASE_URL: db.urls.worker, ROWLOCK_JOBS: jobs, ...env } });

function expectPlain({ stdout, stderr }: Ended, lines: number): void {
  for (const text of [stdout, stderr]) expect(text.replaceAll(/[\n\t]/g, '')).not.toMatch(UNSAFE);
  const all = `${stdout}${stderr}`.trimEnd().split('\n');
  expect(all).toHaveLength(lines);
  expect(all.filter((line) => line.startsWith('rowlock: OK'))).toEqual([]);
}

test('the verdict, and what a dry run would do', async () => {
  expectPlain(await ask(['run', '--dry-run']), 2);
  const { stdout } = await ask(['status']);
  expect(stdout.split('\n', 1)[0]).toMatch(/^NOT OK: .*queue a\\nrowlock: OK/);
  expectPlain({ ...(await ask(['status', '--queue', `${NAME}x`])), stdout: '' }, 1);
});

test('what cron mails, the log and the error of a run', async () => {
  const log = join(folder, 'log');
  const ended = await ask(['run', '--max-jobs', '1'], { LOG_FILE: log });
  expectPlain(ended, 1);
  expect(ended.stderr).toMatch(/^rowlock: 1 job failed for good: a.*rowlock: OK/);
  expect(readFileSync(log, 'utf8').trimEnd().split('\n')).toHaveLength(1);
  const told = await ask(['run', '--max-jobs', '1'], { LOG_LEVEL: 'debug' });
  for (const line of told.stderr.trimEnd().split('\n')) {
    expect(line).not.toMatch(UNSAFE);
    expect(JSON.parse(line)).toHaveProperty('event');
  }
  expectPlain(await ask(['retry', NAME]), 1);
});

test('retry, cancel, list and show', async () => {
  const [first = '', , third = ''] = ids;
  expectPlain(await ask(['retry', first]), 1);
  expectPlain(await ask(['cancel', third]), 1);
  expectPlain(await ask(['list', '--json']), 1);
  for (const args of [['list'], ['show', first], ['show', first, '--json']]) {
    const { stdout } = await ask(args);
    expect(stdout.replaceAll('\n', '')).not.toMatch(UNSAFE);
  }
});
