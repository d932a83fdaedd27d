import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { completedRows } from '../src/doctor/completed-rows';
import { createDatabase, type TestDatabase } from './support/database';
import { ask, diagnose, listTrouble } from './support/doctor';
import { type Meddle, startProxy } from './support/proxy';
import { type Ended, rowlock } from './support/rowlock';
import { insertJob, insertRow } from './support/rows';
import { dumpRows } from './support/tables';

let db: TestDatabase;
let folder: string;

beforeAll(async () => {
  db = await createDatabase();
  folder = mkdtempSync(join(tmpdir(), 'rowlock-doctor-'));
});

beforeEach(async () => {
  for (const table of ['background_jobs', 'background_job_runs', 'background_job_queues'])
    await sql(`DELETE FROM ${table}`);
  await aRun();
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const sql = (statement: string, values: unknown[] = []) => db.pool.query(statement, values);

const doctor = (...args: string[]): Promise<Ended> =>
  rowlock(['doctor', ...args], { env: { DATABASE_URL: db.url }, cwd: folder });

let nextRun = 1;

/** A run that began so long ago, and has ended at once. */
async function aRun(secondsAgo = 10, columns: Record<string, unknown> = {}): Promise<number> {
  const id = nextRun++;
  await insertRow(db, 'background_job_runs', { id, host: 'web1', pid: 42, ...columns });
  await sql(
    `UPDATE background_job_runs SET started_at = NOW(3) - INTERVAL ${secondsAgo} SECOND, finished_at = NOW(3) - INTERVAL ${secondsAgo} SECOND, outcome = 'finished' WHERE id = ?`,
    [id],
  );
  return id;
}

/** Finds something with a server that is as the proxy makes it look: where the real setting cannot be had at run time. */
const diagnoseThrough = async (meddle: Meddle) => diagnose((await startProxy(db.url, meddle)).url);

/** As if this much time had passed for the doctor's sessions and for nothing else. */
const later =
  (seconds: number): Meddle =>
  (statement) =>
    statement.replace(/^SET time_zone = /, `SET timestamp = UNIX_TIMESTAMP() + ${seconds}, time_zone = `);

describe('the command', () => {
  test('finds nothing wrong with a new database after one run', async () => {
    const fresh = await createDatabase();
    const env = { DATABASE_URL: fresh.url };
    expect(await rowlock(['run'], { env })).toMatchObject({ code: 0, stderr: '' });
    const { code, stdout, stderr } = await rowlock(['doctor'], { env });
    const lines = stdout.trimEnd().split('\n');
    expect(lines.filter((line) => !/^ok {7}[a-z-]+ +\S/.test(line))).toEqual([]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(lines[0]).toMatch(/^ok {7}server {13}(MySQL|MariaDB) \d+\.\d+\.\d+$/);
    const starts = new Set(lines.map((line) => line.search(/(?<=^ok {7}\S+ +)\S/)));
    expect([...starts]).toEqual([28]);
    expect(lines).toHaveLength(26);
    await fresh.drop();
  });

  test('says what to do, and exits 1', async () => {
    await insertJob(db, { status: 'running', run_id: null });
    const { code, stdout, stderr } = await doctor();
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(stdout).toMatch(/^warning {2}unheld-rows {8}1 running row is held .*; once .*: rowlock retry \d+$/m);
  });

  test('prints one line of JSON', async () => {
    const { code, stdout } = await doctor('--json');
    expect(code).toBe(0);
    expect(stdout.split('\n')).toHaveLength(2);
    const found = JSON.parse(stdout) as Record<string, unknown>[];
    expect(found).toHaveLength(26);
    for (const entry of found) expect(Object.keys(entry)).toEqual(['check', 'state', 'detail', 'mend']);
    expect(found[0]).toMatchObject({ check: 'server', state: 'ok', mend: null });
  });

  test('tells a server that is away, and a refused login, as every command does', async () => {
    const url = new URL(db.url);
    url.port = '1';
    const away = await rowlock(['doctor'], { env: { DATABASE_URL: url.href } });
    expect(away).toMatchObject({ code: 69, stdout: '' });
    url.port = new URL(db.url).port;
    url.username = 'nobody_of_this_name';
    url.password = 'hunter2';
    const refused = await rowlock(['doctor', '--json'], { env: { DATABASE_URL: url.href } });
    expect(refused).toMatchObject({ code: 78, stdout: '' });
    expect(refused.stderr).not.toContain('hunter2');
  });

  test('tells what it has found when the server goes away', async () => {
    const proxy = await startProxy(db.url, (statement) => {
      if (statement.includes('background_job_migrations')) void proxy.goAway();
      return statement;
    });
    const { code, stdout } = await rowlock(['doctor'], { env: { DATABASE_URL: proxy.url } });
    expect(code).toBe(69);
    expect(stdout).toMatch(/^ok +server /);
  });

  test('changes nothing, although it explains INSERT, UPDATE and DELETE', async () => {
    const seen: string[] = [];
    await insertJob(db);
    const before = await dumpRows(db.pool);
    const proxy = await startProxy(db.url, (statement) => {
      seen.push(statement);
      return statement;
    });
    await diagnose(proxy.url, { settings: { pruneMs: 86_400_000 } });
    const verbs = [...new Set(seen.map((statement) => statement.split(/\s/, 1)[0]))].sort();
    expect(verbs).toEqual(['COMMIT', 'EXPLAIN', 'SELECT', 'SET', 'SHOW', 'START']);
    const explained = seen.map((statement) => /^EXPLAIN FORMAT=TRADITIONAL (\w+)/.exec(statement)?.[1]);
    expect(explained).toEqual(expect.arrayContaining(['INSERT', 'UPDATE', 'DELETE']));
    expect(await dumpRows(db.pool)).toEqual(before);
  });
});

describe('the schema', () => {
  test('is not there: what needs no table is told nevertheless', async () => {
    const empty = await createDatabase({ migrated: false });
    const found = await diagnose(empty.url);
    expect(found['schema']).toEqual({
      state: 'fault',
      detail: 'this database has no Rowlock tables yet',
      mend: 'run rowlock migrate',
    });
    expect(found).toMatchObject({ server: { state: 'ok' }, writable: { state: 'ok' }, history: { state: 'ok' } });
    expect(found['runs']).toEqual({ state: 'unknown', detail: 'needs the tables', mend: 'see schema' });
    expect(found['tables']).toMatchObject({ state: 'unknown' });
    await empty.drop();
  });

  test("is another app's: nobody is told to alter that table", async () => {
    const other = await createDatabase({ migrated: false });
    await other.pool.query(
      'CREATE TABLE background_jobs (id INT PRIMARY KEY, job_type TEXT, status TEXT) ENGINE = MyISAM',
    );
    const trouble = listTrouble(await diagnose(other.url));
    expect(trouble['schema']).toMatchObject({ state: 'fault', mend: 'run rowlock migrate' });
    const { schema: _, ...rest } = trouble;
    for (const finding of Object.values(rest)) {
      expect(finding).toEqual({ state: 'unknown', detail: 'needs the tables', mend: 'see schema' });
    }
    expect(Object.keys(rest)).toEqual(
      expect.arrayContaining(['tables', 'keys', 'claim-plan', 'waiting', 'privileges']),
    );
    await other.drop();
  });

  test.each([
    ['newer', 'INSERT INTO background_job_migrations VALUES (9000, NOW(3))', /^schema is at 9000/, /^upgrade rowlock/],
    ['older', 'DELETE FROM background_job_migrations WHERE version = 2', /^schema is at 1/, /^run rowlock migrate/],
    [
      'half made',
      'UPDATE background_job_migrations SET applied_at = NULL WHERE version = 2',
      /was begun and never finished$/,
      /^either do the rest/,
    ],
  ])('is %s: the rest is told', async (_, statement, detail, mend) => {
    const other = await createDatabase();
    await other.pool.query(statement);
    const found = await diagnose(other.url);
    expect(found['schema']).toEqual({
      state: 'fault',
      detail: expect.stringMatching(detail),
      mend: expect.stringMatching(mend),
    });
    expect(found).toMatchObject({ waiting: { state: 'ok' }, 'claim-plan': { state: 'ok' } });
    await other.drop();
  });

  test('has a table without row locks', async () => {
    await sql('ALTER TABLE background_job_errors ENGINE = MyISAM');
    const { tables } = await diagnose(db.url);
    expect(tables).toEqual({
      state: 'fault',
      detail: 'without row locks and transactions: background_job_errors (MyISAM)',
      mend: 'ALTER TABLE background_job_errors ENGINE = InnoDB',
    });
    await sql(String(tables?.mend));
  });

  test('has lost a table', async () => {
    await sql('RENAME TABLE background_job_errors TO elsewhere');
    const found = await diagnose(db.url);
    await sql('RENAME TABLE elsewhere TO background_job_errors');
    expect(listTrouble(found)).toEqual({
      privileges: {
        state: 'fault',
        detail: expect.stringContaining('background_job_errors'),
        mend: expect.stringContaining('sql/migrations'),
      },
    });
  });

  test.each([
    [
      'leaves a sort to do',
      'claim_order',
      'ADD KEY claim_order (status, queue, id)',
      /^the claim is not served .*filesort/,
    ],
    // A claim would walk over the jobs of all other priorities: its plan looks the same.
    ['has another order', 'claim_order', 'ADD KEY claim_order (status, queue, run_at, id)', /^claim_order, a range/],
    ['is gone', 'claim_order', 'ADD KEY other (status)', /claim_order' doesn't exist/],
    [
      'is no longer unique',
      'one_per_unique_key',
      'ADD KEY one_per_unique_key (job_type, unique_key)',
      /^claim_order, a range/,
    ],
  ])('has a key that %s; the mend brings it back', async (_, name, change, plan) => {
    await sql(`ALTER TABLE background_jobs DROP KEY ${name}, ${change}`);
    const found = await diagnose(db.url);
    expect(found['keys']).toMatchObject({
      state: 'fault',
      detail: `gone from background_jobs, or not as it was made: ${name}`,
    });
    expect(found['claim-plan']?.detail).toMatch(plan);
    await sql(String(found['keys']?.mend));
    expect((await diagnose(db.url))['keys']).toMatchObject({ state: 'ok' });
  });
});

describe('the server', () => {
  test('is too old', async () => {
    const found = await diagnoseThrough((statement) => statement.replace('VERSION()', "'5.7.44'"));
    expect(found['server']).toEqual({
      state: 'fault',
      detail: 'the server is MySQL 5.7.44, but SKIP LOCKED and JSON_TABLE need MySQL 8.0.4 or MariaDB 10.6',
      mend: 'upgrade it, or correct DATABASE_URL',
    });
    expect(found['runs']).toMatchObject({ state: 'ok' });
  });

  test.each([
    [3600, /^the server's clock is 3[56]\d\d\.\d s ahead of this host's/],
    [-3600, /^the server's clock is 3[56]\d\d\.\d s behind this host's/],
  ])('has a clock that is %d s off', async (seconds, detail) => {
    const { clock } = await diagnoseThrough(later(seconds));
    expect(clock).toEqual({ state: 'warning', detail: expect.stringMatching(detail), mend: 'let NTP set both' });
  });

  test.each([
    ['locks nothing', (s: string) => s.replace(/FOR UPDATE( SKIP LOCKED)?$/, ''), /skips no locked row: two workers/],
    ['waits', (s: string) => s.replace(/ SKIP LOCKED$/, ''), /waits for locked rows: two workers/],
    ['does not know it', (s: string) => s.replace(/SKIP LOCKED$/, 'SKEP LOCKED'), /does not know SKIP LOCKED/],
  ])('%s where SKIP LOCKED is asked for', async (_, meddle, detail) => {
    const found = await diagnoseThrough((s) => (/canary|version = 0/.test(s) ? meddle(s) : s));
    expect(found['skip-locked']).toEqual({
      state: 'fault',
      detail: expect.stringMatching(detail),
      mend: 'use MySQL 8.0.4 or MariaDB 10.6, or newer',
    });
  });

  test('cannot be tried without a row for it; the mend brings it back', async () => {
    await sql('DELETE FROM background_job_migrations WHERE version = 0');
    const found = await diagnose(db.url);
    expect(found['skip-locked']).toMatchObject({ state: 'warning', detail: 'there is no row to try SKIP LOCKED on' });
    await sql(String(found['skip-locked']?.mend));
    expect((await diagnose(db.url))['skip-locked']).toMatchObject({ state: 'ok' });
  });

  test.each([
    ['isolation', /^SET SESSION TRANSACTION/, 'the isolation is REPEATABLE-READ, not READ-COMMITTED'],
    ['time zone and SQL mode', /^SET time_zone/, 'the SQL mode is not strict'],
  ])('is behind a proxy that drops what a session sets: %s', async (_, dropped, detail) => {
    const found = await diagnoseThrough((s) => (dropped.test(s) ? "SET time_zone = 'SYSTEM', sql_mode = ''" : s));
    expect(found['session']).toEqual({
      state: 'fault',
      detail: expect.stringContaining(detail),
      mend: expect.stringContaining('proxy'),
    });
    expect(found['session']?.detail).toContain('the time zone is SYSTEM');
  });

  test('answers a question with an error that nobody expects', async () => {
    const found = await diagnoseThrough((s) => s.replace(/^SHOW (REPLICA|SLAVE) STATUS/, 'SELECT no_such_function()'));
    expect(found['replica']).toEqual({
      state: 'warning',
      detail: expect.stringContaining('cannot be checked: FUNCTION'),
      mend: expect.any(String),
    });
  });

  test('before MySQL 8.0.22 knows only the old words for a replica', async () => {
    const seen: string[] = [];
    const { replica } = await diagnoseThrough((s) => {
      if (/^SHOW .* STATUS$/.test(s)) seen.push(s);
      return s
        .replace('SHOW REPLICA STATUS', 'SHOW REPLIKA STATUS')
        .replace('SHOW SLAVE STATUS', 'SELECT 1 FROM DUAL WHERE FALSE');
    });
    expect(seen).toEqual(['SHOW REPLICA STATUS', 'SHOW SLAVE STATUS']);
    expect(replica).toMatchObject({ state: 'ok' });
  });

  test('cannot write at all (innodb_read_only cannot be set while it runs)', async () => {
    const { writable } = await diagnoseThrough((s) =>
      s.startsWith('SHOW GLOBAL VARIABLES') ? "SELECT 'innodb_read_only' AS Variable_name, 'ON' AS Value" : s,
    );
    expect(writable).toMatchObject({ state: 'fault', detail: 'the server takes no writes: innodb_read_only is ON' });
  });
});

describe('runs', () => {
  test('there was none', async () => {
    await sql('DELETE FROM background_job_runs');
    const { runs } = await diagnose(db.url);
    expect(runs).toMatchObject({ state: 'fault', detail: 'there was no run yet' });
  });

  test('have stopped coming, unless one is still at work', async () => {
    await sql('DELETE FROM background_job_runs');
    const id = await aRun(600);
    expect((await diagnose(db.url))['runs']).toEqual({
      state: 'fault',
      detail: 'no run for 10 min',
      mend: 'see whether cron runs, and has the line: crontab -l',
    });
    await sql(
      'UPDATE background_job_runs SET finished_at = NULL, lease_expires_at = NOW(3) + INTERVAL 1 MINUTE WHERE id = ?',
      [id],
    );
    expect((await diagnose(db.url))['runs']).toMatchObject({ state: 'ok' });
  });

  test('come each minute from several hosts', async () => {
    for (let minute = 1; minute < 70; minute++) await aRun(minute * 60 + 5);
    await aRun(30, { host: 'web2' });
    const { runs } = await diagnose(db.url);
    expect(runs).toMatchObject({
      state: 'ok',
      detail: expect.stringMatching(/^the last 1\d s ago; in an hour \d\d on web1, 1 on web2$/),
    });
  });

  test('left out a while', async () => {
    for (const minute of [1, 2, 3, 27, 28, 45, 46]) await aRun(minute * 60);
    const { runs } = await diagnose(db.url);
    expect(runs).toEqual({
      state: 'warning',
      detail: expect.stringMatching(/^no run began for 24 min, from [\d-]+ \d\d:\d\dZ to [\d-]+ \d\d:\d\dZ$/),
      mend: expect.stringContaining('each minute'),
    });
  });

  test('left out a while that began more than an hour ago', async () => {
    for (const minute of [1, 2, 3, 4, 200]) await aRun(minute * 60);
    expect((await diagnose(db.url))['runs']).toMatchObject({
      state: 'warning',
      detail: expect.stringContaining('no run began for 3 h'),
    });
  });
});

describe('jobs', () => {
  const due = (queue: string, minutes: number) =>
    sql("INSERT INTO background_jobs (job_type, queue, run_at) VALUES ('test.echo', ?, NOW(3) - INTERVAL ? MINUTE)", [
      queue,
      minutes,
    ]);

  test('that are due for long: nobody takes them', async () => {
    await due('mail', 25);
    expect((await diagnose(db.url))['waiting']).toEqual({
      state: 'warning',
      detail: 'due for long: 1 in queue mail, the oldest for 25 min',
      mend: expect.stringContaining('none of them is being started'),
    });
  });

  test('that are due for long: there are too many', async () => {
    await due('mail', 25);
    const runId = await aRun(1);
    await sql(
      "INSERT INTO background_jobs (job_type, queue, status, started_at, run_id) VALUES ('test.echo', 'mail', 'running', NOW(3), ?)",
      [runId],
    );
    expect((await diagnose(db.url))['waiting']).toMatchObject({
      state: 'warning',
      mend: expect.stringContaining('--concurrency'),
    });
  });

  test('of a paused queue wait because somebody wants it', async () => {
    await due('mail', 25);
    await due('default', 5);
    await insertRow(db, 'background_job_queues', { queue: 'mail', paused_at: new Date() });
    expect((await diagnose(db.url))['waiting']).toEqual({ state: 'ok', detail: '1 due; paused: mail', mend: null });
  });

  test('of an older script are named', async () => {
    for (let n = 0; n < 12; n++) await insertJob(db, { status: 'running' });
    const [rows] = await db.pool.query('SELECT id FROM background_jobs ORDER BY id LIMIT 10');
    const ids = (rows as { id: number }[]).map(({ id }) => id);
    expect(listTrouble(await diagnose(db.url))).toEqual({
      'unheld-rows': {
        state: 'warning',
        detail: `12 running rows are held by no run but by an older script: ${ids.join(', ')} …`,
        mend: `once that script has ended for good: rowlock retry ${ids.join(' ')}`,
      },
    });
  });

  test('whose run is over, silent or gone are named, once a run should have put them back', async () => {
    const over = await aRun(300);
    const silent = await aRun(300);
    const fresh = await aRun(20);
    await sql(
      'UPDATE background_job_runs SET finished_at = NULL, lease_expires_at = NOW(3) - INTERVAL 4 MINUTE WHERE id = ?',
      [silent],
    );
    const held = (run_id: number) =>
      insertJob(db, { status: 'running', run_id, started_at: new Date(Date.now() - 3_600_000) });
    await held(fresh);
    expect((await diagnose(db.url))['stranded-rows']).toMatchObject({ state: 'ok' });
    const ids = [await held(over), await held(silent), await held(987_654_321)];
    expect((await diagnose(db.url))['stranded-rows']).toEqual({
      state: 'warning',
      detail: `running, but their run has ended or is silent: ${ids.join(', ')}`,
      mend: expect.stringContaining('rowlock run'),
    });
  });

  test('of a type that no worker knows', async () => {
    await sql(
      "INSERT INTO background_jobs (job_type, run_id, started_at, run_at) VALUES ('nobody.knows', 1, NOW(3), NOW(3) + INTERVAL 1 MINUTE)",
    );
    expect((await diagnose(db.url))['unknown-types']).toEqual({
      state: 'warning',
      detail: 'no worker knows nobody.knows (1 job)',
      mend: 'deploy the type, or name its file with --jobs or ROWLOCK_JOBS',
    });
  });

  test('that were completed and that nobody prunes', async () => {
    for (const queue of ['default', 'mail', 'mail']) await insertJob(db, { status: 'completed', queue });
    expect(await ask(db.url, completedRows(3))).toEqual({
      state: 'warning',
      detail: '3 or more are kept, and nothing deletes them',
      mend: 'set ROWLOCK_PRUNE=14d, or call rowlock prune',
    });
    expect(await ask(db.url, completedRows(4))).toMatchObject({ state: 'ok', detail: '3' });
    const pruned = await ask(db.url, completedRows(3), { settings: { pruneMs: 14 * 86_400_000 } });
    expect(pruned).toMatchObject({ state: 'ok', detail: '3 or more, pruned after 14 d' });
  });
});

describe('this worker', () => {
  test('has a job module that cannot be loaded: the rest is told', async () => {
    writeFileSync(join(folder, 'broken.json'), '[{"type": ');
    const { code, stdout } = await doctor('--jobs', 'broken.json');
    expect(code).toBe(1);
    expect(stdout).toMatch(/^fault {4}job-types {10}the job file .*broken\.json cannot be read: /m);
    expect(stdout).toMatch(/^ok +waiting /m);
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .filter((line) => !line.startsWith('ok')),
    ).toHaveLength(1);
  });

  test('tells its job types', async () => {
    const jobs = Array.from({ length: 12 }, (_, n) => ({ type: `test.t${n + 10}`, command: ['true'] }));
    writeFileSync(join(folder, 'jobs.json'), JSON.stringify(jobs));
    const found = await diagnose(db.url, { settings: { jobsFile: join(folder, 'jobs.json') } });
    expect(found['job-types']?.detail).toMatch(/^test\.t10, .*test\.t19 and 2 more$/);
  });

  test('is to take a type that it does not know', async () => {
    const env = { DATABASE_URL: db.url, ROWLOCK_TYPE: 'emial.send' };
    const { code, stdout } = await rowlock(['doctor'], { env, cwd: folder });
    expect(code).toBe(1);
    expect(stdout).toMatch(/^fault {4}job-types {10}ROWLOCK_TYPE names emial\.send, which no job function here has/m);
    expect((await rowlock(['run'], { env, cwd: folder })).code).toBe(64);
  });

  test('has an env file that anyone may read', async () => {
    const file = join(folder, 'worker.env');
    writeFileSync(file, `DATABASE_URL=${db.url}\n`);
    chmodSync(file, 0o644);
    const { code, stdout } = await rowlock(['doctor', '--env-file', file]);
    expect(code).toBe(1);
    expect(stdout).toContain(`${file} can be read or written by every user of this machine; chmod 600 ${file}`);
    chmodSync(file, 0o640);
    expect((await rowlock(['doctor', '--env-file', file])).code).toBe(0);
  });

  test('reads .env of its folder without being told to', async () => {
    const file = join(folder, '.env');
    writeFileSync(file, 'LOG_LEVEL=warn\n', { mode: 0o604 });
    chmodSync(file, 0o604);
    const { stdout } = await doctor();
    rmSync(file);
    expect(stdout).toMatch(/^warning {2}env-file /m);
  });
});
