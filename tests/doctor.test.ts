import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDatabase } from './support/database';
import { diagnose } from './support/doctor';
import { type DoctorBench, openDoctorBench } from './support/doctor-bench';
import { startProxy } from './support/proxy';
import { type Ended, rowlock } from './support/rowlock';
import { insertJob } from './support/rows';
import { dumpRows } from './support/tables';

let bench: DoctorBench;
let folder: string;

beforeAll(async () => {
  bench = await openDoctorBench();
  folder = mkdtempSync(join(tmpdir(), 'rowlock-doctor-'));
});

beforeEach(() => bench.clear());

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const doctor = (...args: string[]): Promise<Ended> =>
  rowlock(['doctor', ...args], { env: { DATABASE_URL: bench.db.url }, cwd: folder });

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
    expect(lines).toHaveLength(27);
    await fresh.drop();
  });

  test('says what to do, and exits 1', async () => {
    await insertJob(bench.db, { status: 'running', run_id: null });
    const { code, stdout, stderr } = await doctor();
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(stdout).toMatch(/^warning {2}unheld-rows {8}1 running row is held .*; once .*: rowlock retry \d+$/m);
  });

  test('prints one line of JSON', async () => {
    const { code, stdout } = await doctor('--json');
    expect(code).toBe(0);
    expect(stdout.split('\n')).toHaveLength(2);
    const found = JSON.parse(stdout) as Record<string, unknown>[];
    expect(found).toHaveLength(27);
    for (const entry of found) expect(Object.keys(entry)).toEqual(['check', 'state', 'detail', 'mend']);
    expect(found[0]).toMatchObject({ check: 'server', state: 'ok', mend: null });
  });

  test('tells a server that is away, and a refused login, as every command does', async () => {
    const url = new URL(bench.db.url);
    url.port = '1';
    const away = await rowlock(['doctor'], { env: { DATABASE_URL: url.href } });
    expect(away).toMatchObject({ code: 69, stdout: '' });
    url.port = new URL(bench.db.url).port;
    url.username = 'nobody_of_this_name';
    url.password = 'hunter2';
    const refused = await rowlock(['doctor', '--json'], { env: { DATABASE_URL: url.href } });
    expect(refused).toMatchObject({ code: 78, stdout: '' });
    expect(refused.stderr).not.toContain('hunter2');
  });

  test('tells what it has found when the server goes away', async () => {
    const proxy = await startProxy(bench.db.url, (statement) => {
      if (statement.includes('background_job_migrations')) void proxy.goAway();
      return statement;
    });
    const { code, stdout } = await rowlock(['doctor'], { env: { DATABASE_URL: proxy.url } });
    expect(code).toBe(69);
    expect(stdout).toMatch(/^ok +server /);
  });

  test('changes nothing, although it explains INSERT, UPDATE and DELETE', async () => {
    const seen: string[] = [];
    await insertJob(bench.db);
    const before = await dumpRows(bench.db.pool);
    const proxy = await startProxy(bench.db.url, (statement) => {
      seen.push(statement);
      return statement;
    });
    await diagnose(proxy.url, { settings: { pruneMs: 86_400_000 } });
    const verbs = [...new Set(seen.map((statement) => statement.split(/\s/, 1)[0]))].sort();
    expect(verbs).toEqual(['COMMIT', 'EXPLAIN', 'SELECT', 'SET', 'SHOW', 'START']);
    const explained = seen.map((statement) => /^EXPLAIN FORMAT=TRADITIONAL (\w+)/.exec(statement)?.[1]);
    expect(explained).toEqual(expect.arrayContaining(['INSERT', 'UPDATE', 'DELETE']));
    expect(await dumpRows(bench.db.pool)).toEqual(before);
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
    const found = await diagnose(bench.db.url, { settings: { jobsFile: join(folder, 'jobs.json') } });
    expect(found['job-types']?.detail).toMatch(/^test\.t10, .*test\.t19 and 2 more$/);
  });

  test('a variable is misspelt', async () => {
    const env = { DATABASE_URL: bench.db.url, ROWLOCK_CONCURENCY: '3' };
    const { code, stdout } = await rowlock(['doctor'], { env });
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /^warning {2}settings +ROWLOCK_CONCURENCY: no such setting; did you mean ROWLOCK_CONCURRENCY\?$/m,
    );
  });

  test('is to take a type that it does not know', async () => {
    const env = { DATABASE_URL: bench.db.url, ROWLOCK_TYPE: 'emial.send' };
    const { code, stdout } = await rowlock(['doctor'], { env, cwd: folder });
    expect(code).toBe(1);
    expect(stdout).toMatch(/^fault {4}job-types {10}ROWLOCK_TYPE names emial\.send, which no job function here has/m);
    expect((await rowlock(['run'], { env, cwd: folder })).code).toBe(64);
  });

  test('has an env file that anyone may read', async () => {
    const file = join(folder, 'worker.env');
    writeFileSync(file, `DATABASE_URL=${bench.db.url}\n`);
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
