import { createDatabase, type TestDatabase } from './support/database';
import { type Ended, rowlock } from './support/rowlock';
import { insertRow } from './support/rows';

const DAY_MS = 86_400_000;

let db: TestDatabase;

beforeAll(async () => {
  db = await createDatabase();
});

beforeEach(async () => {
  await db.pool.query('DROP TABLE IF EXISTS child');
  for (const table of ['background_jobs', 'background_job_runs']) await db.pool.query('DELETE FROM ??', [table]);
});

const tell = (args: string[], env: Record<string, string> = {}): Promise<Ended> =>
  rowlock(['prune', ...args], { env: { DATABASE_URL: db.url, ...env } });

async function add(jobs: number, daysAgo: number, columns: Record<string, unknown> = {}): Promise<void> {
  const at = new Date(Date.now() - daysAgo * DAY_MS);
  const row = { job_type: 'test.echo', status: 'completed', run_at: at, processed_at: at, ...columns };
  const rows = Array<unknown[]>(jobs).fill(Object.values(row));
  await db.pool.query('INSERT INTO background_jobs (??) VALUES ?', [Object.keys(row), rows]);
}

const addRun = (id: number, daysAgo: number): Promise<number> =>
  insertRow(db, 'background_job_runs', {
    id,
    host: 'h',
    pid: 1,
    outcome: 'finished',
    finished_at: new Date(Date.now() - daysAgo * DAY_MS),
  });

const statuses = async (): Promise<unknown> => {
  const [rows] = await db.pool.query(
    'SELECT status, COUNT(*) AS n FROM background_jobs GROUP BY status ORDER BY status',
  );
  return rows;
};

test('it says what went, in words and in JSON, and with --dry-run what would go', async () => {
  await add(1_100, 15);
  await add(2, 100, { status: 'failed' });
  await addRun(1, 15);
  const ages = ['--older-than', '14d', '--failed-older-than', '90d'];
  expect(await tell([...ages, '--dry-run'])).toMatchObject({
    code: 0,
    stdout: 'would prune 1,100 completed jobs, 2 failed jobs, 1 run\n',
    stderr: '',
  });
  const counts = {
    completed: 1_100,
    failed: 2,
    runs: 1,
    orphaned_errors: 0,
    kept: 0,
    kept_by: [],
    locked: 0,
    undated: 0,
  };
  expect(JSON.parse((await tell([...ages, '--dry-run', '--json'])).stdout)).toEqual({ dry_run: true, ...counts });
  expect(await tell(['--older-than', '14d'])).toMatchObject({
    code: 0,
    stdout: 'pruned 1,100 completed jobs, 0 failed jobs, 1 run\n',
    stderr: '',
  });
  expect(await statuses()).toEqual([{ status: 'failed', n: 2 }]);
  expect(JSON.parse((await tell([...ages, '--json'])).stdout)).toEqual({
    dry_run: false,
    ...counts,
    completed: 0,
    runs: 0,
  });
  expect(await statuses()).toEqual([]);
}, 60_000);

test('it says what is old and stays, and why', async () => {
  await add(3, 15);
  await add(1, 15, { processed_at: null });
  await db.pool.query(
    'CREATE TABLE child (job_id BIGINT UNSIGNED, FOREIGN KEY (job_id) REFERENCES background_jobs (id))',
  );
  await db.pool.query('INSERT INTO child SELECT id FROM background_jobs LIMIT 2');
  expect(await tell(['--older-than', '14d'])).toMatchObject({
    code: 0,
    stdout: 'pruned 1 completed job, 0 failed jobs, 0 runs\n',
    stderr:
      "rowlock: 2 jobs are kept, as other tables' rows refer to them (child.job_id)\n" +
      'rowlock: 1 job is kept, as an older script has not written down when it ended (processed_at is NULL); set that to prune it\n',
  });
});

test('a referring table that this user may not read keeps its jobs all the same', async () => {
  await add(5, 15);
  await db.pool.query(
    'CREATE TABLE child (job_id BIGINT UNSIGNED, FOREIGN KEY (job_id) REFERENCES background_jobs (id))',
  );
  await db.pool.query('INSERT INTO child SELECT id FROM background_jobs LIMIT 1');
  const user = `u${db.name.slice(-12)}`;
  await db.pool.query(`CREATE USER ${user} IDENTIFIED BY 'pw'`);
  try {
    await db.pool.query(`GRANT SELECT ON ${db.name}.background_job_migrations TO ${user}`);
    for (const table of ['jobs', 'job_runs', 'job_errors'])
      await db.pool.query(`GRANT SELECT, UPDATE, DELETE ON ${db.name}.background_${table} TO ${user}`);
    const url = new URL(db.url);
    url.username = user;
    url.password = 'pw';
    expect(await tell(['--older-than', '14d'], { DATABASE_URL: url.href })).toMatchObject({
      code: 0,
      stdout: 'pruned 4 completed jobs, 0 failed jobs, 0 runs\n',
      stderr: expect.stringMatching(
        /^rowlock: 1 job is kept, as other tables' rows refer to it( \(child.job_id\))?\n$/,
      ),
    });
    await db.pool.query(`REVOKE DELETE ON ${db.name}.background_jobs FROM ${user}`);
    await add(1, 15);
    const refused = await tell(['--older-than', '14d'], { DATABASE_URL: url.href });
    expect(refused).toMatchObject({ code: 78, stdout: '' });
    expect(refused.stderr).toMatch(/^rowlock: DELETE command denied .*; GRANT the privilege .*\n$/);
  } finally {
    await db.pool.query(`DROP USER ${user}`);
  }
});

test('ROWLOCK_PRUNE is the age where none is given', async () => {
  await add(1, 15);
  await add(1, 2);
  const env = { ROWLOCK_PRUNE: '14d' };
  expect((await tell([], env)).stdout).toBe('pruned 1 completed job, 0 failed jobs, 0 runs\n');
  expect((await tell(['--older-than', '1d'], env)).stdout).toBe('pruned 1 completed job, 0 failed jobs, 0 runs\n');
});

test.each<[string[], string]>([
  [[], 'say what is old enough to be deleted with --older-than 14d, or set ROWLOCK_PRUNE'],
  [['--failed-older-than', '90d'], 'say what is old enough to be deleted with --older-than 14d, or set ROWLOCK_PRUNE'],
  [['--older-than', '14'], '--older-than "14" is no duration such as 14d, from 1h to 3650d'],
  [['--older-than', '59m'], '--older-than "59m" is no duration such as 14d, from 1h to 3650d'],
  [['--older-than', '3651d'], '--older-than "3651d" is no duration such as 14d, from 1h to 3650d'],
  [['--older-than', '-1d'], '--older-than "-1d" is no duration such as 14d, from 1h to 3650d'],
  [
    ['--older-than', '14d', '--failed-older-than', '0'],
    '--failed-older-than "0" is no duration such as 14d, from 1h to 3650d',
  ],
])('%j deletes nothing and is told with 64', async (args, words) => {
  await add(1, 4_000);
  expect(await tell(args)).toMatchObject({ code: 64, stdout: '', stderr: `rowlock: ${words}\n` });
  expect(await statuses()).toEqual([{ status: 'completed', n: 1 }]);
});
