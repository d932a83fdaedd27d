import { explain } from '../src/db/faults';
import { ConfigError } from '../src/errors';
import { buildProgram } from '../src/program';
import { createDatabase, type TestDatabase } from './support/database';
import { rowlock } from './support/rowlock';
import { insertJob } from './support/rows';
import { settingsFor } from './support/tables';
import type { Role } from './support/users';
import { openWorkshop } from './support/workshop';

let db: TestDatabase;

beforeAll(async () => {
  db = await createDatabase();
});

beforeEach(() => {
  for (const stream of [process.stdout, process.stderr]) jest.spyOn(stream, 'write').mockReturnValue(true);
});

afterEach(() => jest.restoreAllMocks());

const WORKS = 'works';

/** What became of a command: that it works, or the line that it ends with, under exit code 78. */
async function call(url: string, args: string): Promise<string> {
  let told = WORKS;
  const program = buildProgram(async (_command, _overrides, run) => {
    try {
      const code = await run(settingsFor(url));
      if (code !== 0) told = `exit code ${code}`;
    } catch (error) {
      const explained = explain(error, 'the server');
      told = explained instanceof ConfigError ? explained.message : `no ConfigError: ${String(explained)}`;
    }
  });
  await program.parseAsync(['node', 'rowlock', ...args.split(' ')]);
  return told;
}

/** One line: the privilege that is missing and where, and the mend. */
const lacks = (privilege: RegExp, table: RegExp) =>
  expect.stringMatching(
    new RegExp(
      `^${privilege.source}.* command denied .*\\b${table.source}\\b.*; GRANT the privilege .*sql/grants\\.sql`,
    ),
  );

const JOBS = /background_jobs/;
const RUNS = /background_job_runs/;
const ERRORS = /background_job_errors/;
const QUEUES = /background_job_queues/;

/** Of a locking SELECT MySQL says SELECT; MariaDB lets a reader lock, and refuses what comes after. */
const CHANGE = /(SELECT|UPDATE|DELETE)/;

const COMMANDS: [args: string, asProducer: unknown, asViewer: unknown, asMigrator: unknown][] = [
  ['enqueue a.b {}', WORKS, lacks(/INSERT/, JOBS), lacks(/INSERT/, JOBS)],
  ['status', lacks(/SELECT/, /background_job\w+/), WORKS, lacks(/SELECT/, RUNS)],
  ['list', lacks(/SELECT/, JOBS), WORKS, WORKS],
  ['show 1', lacks(/SELECT/, JOBS), WORKS, lacks(/SELECT/, ERRORS)],
  ['retry 2', lacks(/SELECT/, JOBS), lacks(CHANGE, JOBS), lacks(CHANGE, JOBS)],
  ['retry --failed', lacks(/SELECT/, JOBS), lacks(CHANGE, JOBS), lacks(CHANGE, JOBS)],
  ['cancel 3', lacks(/SELECT/, JOBS), lacks(CHANGE, JOBS), lacks(CHANGE, JOBS)],
  ['pause mail', lacks(/(SELECT|INSERT)/, QUEUES), lacks(/INSERT/, QUEUES), WORKS],
  ['resume mail', lacks(/UPDATE/, QUEUES), lacks(/UPDATE/, QUEUES), WORKS],
  ['prune --older-than 14d', lacks(/SELECT/, RUNS), lacks(CHANGE, JOBS), lacks(/SELECT/, RUNS)],
  ['metrics', lacks(/SELECT/, /background_job\w+/), WORKS, lacks(/SELECT/, RUNS)],
  ['migrate --status', WORKS, WORKS, WORKS],
  ['wait --timeout 1s', WORKS, WORKS, WORKS],
];

describe.each(COMMANDS)('rowlock %s', (args, asProducer, asViewer, asMigrator) => {
  beforeAll(async () => {
    await db.pool.query('DELETE FROM background_jobs');
    const old = new Date('2026-01-01');
    const jobs = [
      { id: 1 },
      { id: 2, status: 'failed', attempts: 8 },
      { id: 3 },
      { id: 4, status: 'completed', run_at: old, processed_at: old },
    ];
    for (const columns of jobs) await insertJob(db, columns);
  });

  test.each<[Role, unknown]>([
    ['producer', asProducer],
    ['viewer', asViewer],
    ['migrator', asMigrator],
    ['worker', WORKS],
  ])('as the %s', async (role, expected) => {
    expect(await call(db.urls[role], args)).toEqual(expected);
  });
});

test('rowlock run as the viewer ends with the line that says what is missing', async () => {
  expect(await rowlock(['run'], { env: { DATABASE_URL: db.urls.viewer } })).toMatchObject({
    code: 78,
    stdout: '',
    stderr: expect.stringMatching(
      /^rowlock: INSERT command denied .*background_job_runs.*; GRANT the privilege to the user of DATABASE_URL, or connect as another: sql\/grants\.sql has one for each kind of work\n$/,
    ),
  });
});

test.each(['producer', 'worker', 'viewer'] as const)('rowlock migrate as the %s makes no table', async (role) => {
  const empty = await createDatabase({ migrated: false });
  expect(await call(empty.urls[role], 'migrate')).toMatch(
    /^Access denied .*; this user may not use this database: GRANT/,
  );
  expect((await empty.pool.query('SHOW TABLES'))[0]).toEqual([]);
  await empty.drop();
});

test('a locked user is told how it comes in', async () => {
  const { names, urls } = db.users;
  await db.pool.query(`ALTER USER '${names.migrator}'@'%' ACCOUNT LOCK`);
  expect(await call(urls.migrator, 'migrate --status')).toMatch(/locked.*; give this user a password: ALTER USER/);
  await db.pool.query(`ALTER USER '${names.migrator}'@'%' ACCOUNT UNLOCK`);
});

test('a producer that may read no key is told that the job is there, and what it lacks to be told more', async () => {
  expect(await call(db.urls.producer, 'enqueue once {} --unique-key k')).toBe(WORKS);
  expect(await call(db.urls.producer, 'enqueue once {} --unique-key k')).toMatch(
    /^a job has the unique key "k" already; nothing was enqueued; .*GRANT SELECT \(id, job_type, status, unique_key\)/,
  );
  await db.users.uncomment('producer', 'unique_key');
  expect(await call(db.urls.producer, 'enqueue once {} --unique-key k')).toBe(WORKS);
});

test('a viewer from whom payloads are kept sees everything else', async () => {
  const id = await insertJob(db, { payload: '{"secret": 1}' });
  await db.pool.query(`REVOKE SELECT ON background_jobs FROM '${db.users.names.viewer}'@'%'`);
  await db.users.uncomment('viewer', 'last_error');
  for (const args of ['status', 'list', 'list --status failed', 'list --type a --json']) {
    expect(await call(db.urls.viewer, args)).toBe(WORKS);
  }
  expect(await call(db.urls.viewer, `show ${id}`)).toMatch(
    /^SELECT command denied .*; GRANT the privilege on this column/,
  );
});

test('one job among the four: enqueued in a transaction, run, and looked at', async () => {
  const shop = await openWorkshop('run-jobs.js');
  const { producer, urls } = shop.db;
  const connection = await producer.getConnection();
  for (const [payload, end] of [
    [1, 'ROLLBACK'],
    [2, 'COMMIT'],
  ]) {
    await connection.query('START TRANSACTION');
    await connection.query("INSERT INTO background_jobs (job_type, payload) VALUES ('echo', ?)", [`{"n": ${payload}}`]);
    await connection.query(String(end));
  }
  connection.release();
  expect(await shop.run()).toEqual({ code: 0, signal: null, stdout: '', stderr: '' });
  const jobs = await shop.rows('SELECT id, status, result FROM background_jobs');
  expect(jobs).toEqual([{ id: expect.any(Number), status: 'completed', result: expect.stringMatching(/"n": ?2/) }]);
  expect(await call(urls.viewer, `show ${jobs[0]?.['id']}`)).toBe(WORKS);
});
