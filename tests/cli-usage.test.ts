import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDatabase, type TestDatabase } from './support/database';
import { type Ended, rowlock } from './support/rowlock';
import { insertJob } from './support/rows';

let db: TestDatabase;
let folder: string;

beforeAll(async () => {
  db = await createDatabase();
  folder = mkdtempSync(join(tmpdir(), 'rowlock-cli-'));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const withDatabase = (args: string[], url = db.url): Promise<Ended> => rowlock(args, { env: { DATABASE_URL: url } });

const urlWith = (change: (url: URL) => void): string => {
  const url = new URL(db.url);
  change(url);
  return url.href;
};

/** One line, ours, and no stack. */
function expectOneLine({ stderr }: Ended): void {
  expect(stderr).toMatch(/^rowlock: .+\n$/);
  expect(stderr.trimEnd().split('\n')).toHaveLength(1);
}

test('help names every command', async () => {
  const { code, stdout, stderr } = await rowlock(['--help']);
  expect(code).toBe(0);
  expect(stderr).toBe('');
  for (const name of [
    'migrate',
    'run',
    'enqueue',
    'status',
    'list',
    'show',
    'retry',
    'cancel',
    'pause',
    'resume',
    'prune',
    'types',
    'completion',
    'wait',
  ]) {
    expect(stdout).toMatch(new RegExp(`^  ${name} `, 'm'));
  }
  expect(stdout).not.toContain('child');
  expect(stdout).not.toMatch(/^ {2}complete /m);
});

test('each command has its help, --env-file with it', async () => {
  const { code, stdout } = await rowlock(['run', '--help']);
  expect(code).toBe(0);
  expect(stdout).toContain('--keep-alive <duration>');
  expect(stdout).toContain('--env-file <path>');
});

test('--version prints the version', async () => {
  expect(await rowlock(['--version'])).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
});

test.each<[string[], string]>([
  [['stats'], "unknown command 'stats' (Did you mean status?)"],
  [['run', '--concurency', '3'], "unknown option '--concurency' (Did you mean --concurrency?)"],
  [['show'], "missing required argument 'id'"],
  [['show', '1', '2'], 'too many arguments'],
  [['list', '--status', 'faild'], 'Allowed choices are pending, running, completed, failed'],
  [['list', '--limit', '0'], '--limit "0" is no whole number'],
  [['show', 'abc'], '"abc" is no job id'],
  [['cancel'], "missing required argument 'ids'"],
  [['retry'], 'give the ids of the jobs to retry, or --failed'],
  [['retry', '1', '--failed'], 'give the ids of the jobs to retry, or --failed'],
  [['retry', '1', '--type', 'a'], '--type goes with --failed'],
  [['run', '--lease', '10', '--poll', 'soon'], '--poll "soon" is no duration such as 200ms, 60s or 10m'],
  [['run', '--id', 'x'], '"x" is no job id'],
  [['wait', '--timeout', 'long'], '--timeout "long" is no duration'],
])('%j is refused with 64 and a line', async (args, words) => {
  const ended = await withDatabase(args);
  expect(ended).toMatchObject({ code: 64, stdout: '' });
  expectOneLine(ended);
  expect(ended.stderr).toContain(words);
});

test('no command at all is told with the help', async () => {
  const { code, stderr } = await rowlock([]);
  expect(code).toBe(64);
  expect(stderr).toMatch(/Usage: rowlock[\s\S]*\nrowlock: no command given; see rowlock --help\n$/);
});

describe('a database that cannot be used', () => {
  const asked = ['status'];

  test('none is named', async () => {
    const ended = await rowlock(asked);
    expect(ended.code).toBe(78);
    expectOneLine(ended);
    expect(ended.stderr).toContain('DATABASE_URL is not set');
  });

  test.each([
    'postgres://app:s3cret@db/app',
    'mysql://app:12/34?5s3cret@db/app',
    'mysql://app:3306/s3cret@db',
    'mysql://app:a#s3cret@db/app',
  ])('the URL %s is none', async (url) => {
    const ended = await withDatabase(asked, url);
    expect(ended.code).toBe(78);
    expectOneLine(ended);
    expect(ended.stderr).toContain('is not of the form mysql://');
    expect(ended.stderr).not.toContain('s3cret');
  });

  test('nobody listens', async () => {
    const ended = await withDatabase(asked, 'mysql://app:s3cret@127.0.0.1:1/app');
    expect(ended.code).toBe(69);
    expectOneLine(ended);
    expect(ended.stderr).toContain('127.0.0.1:1 does not answer (ECONNREFUSED)');
    expect(ended.stderr).not.toContain('s3cret');
  });

  test('the password is wrong', async () => {
    const ended = await withDatabase(
      asked,
      urlWith((url) => {
        url.username = 'nobody';
        url.password = 's3cret';
      }),
    );
    expect(ended.code).toBe(78);
    expectOneLine(ended);
    expect(ended.stderr).toContain('the user or password is wrong: correct DATABASE_URL');
    expect(ended.stderr).not.toContain('s3cret');
  });

  test('there is none of this name', async () => {
    const ended = await withDatabase(
      asked,
      urlWith((url) => {
        url.pathname = '/no_such_database';
      }),
    );
    expect(ended.code).toBe(78);
    expectOneLine(ended);
    expect(ended.stderr).toContain('create the database, or correct DATABASE_URL');
  });

  test('it has no tables yet', async () => {
    const empty = await createDatabase({ migrated: false });
    for (const args of [
      ['status'],
      ['list'],
      ['show', '1'],
      ['enqueue', 'a'],
      ['retry', '1'],
      ['cancel', '1'],
      ['pause', 'q'],
      ['resume', 'q'],
      ['prune', '--older-than', '14d'],
    ]) {
      const ended = await withDatabase(args, empty.url);
      expect(ended.code).toBe(78);
      expectOneLine(ended);
      expect(ended.stderr).toContain('run rowlock migrate');
    }
  });

  test('a privilege on a column is missing', async () => {
    const user = `u${db.name.slice(-12)}`;
    const url = urlWith((to) => {
      to.username = user;
      to.password = 'pw';
    });
    await db.pool.query(`CREATE USER ${user} IDENTIFIED BY 'pw'`);
    try {
      await db.pool.query(`GRANT SELECT ON ${db.name}.* TO ${user}`);
      await db.pool.query(`GRANT INSERT (job_type, payload) ON ${db.name}.background_jobs TO ${user}`);
      const ended = await withDatabase(['enqueue', 'test.echo'], url);
      expect(ended.code).toBe(78);
      expectOneLine(ended);
      expect(ended.stderr).toMatch(/INSERT command denied.*column 'queue'.*GRANT the privilege on this column/i);
      const refused = await withDatabase(['pause', 'mail'], url);
      expect(refused.code).toBe(78);
      expectOneLine(refused);
      expect(refused.stderr).toContain('GRANT the privilege');
    } finally {
      await db.pool.query(`DROP USER ${user}`);
    }
  });
});

describe('--env-file', () => {
  test.each<[string, (file: string) => string[]]>([
    ['before', (file) => ['--env-file', file, 'list']],
    ['after', (file) => ['list', '--env-file', file]],
  ])('stands %s the name of the command', async (_, args) => {
    const file = join(folder, 'settings.env');
    writeFileSync(file, `DATABASE_URL=${db.url}\n`);
    expect(await rowlock(args(file))).toMatchObject({ code: 0, stderr: '' });
  });

  test('.env of the working directory is read without it', async () => {
    writeFileSync(join(folder, '.env'), `DATABASE_URL=${db.url}\n`);
    expect(await rowlock(['list'], { cwd: folder })).toMatchObject({ code: 0 });
  });
});

test('a stack is told only with LOG_LEVEL=debug', async () => {
  const env = { DATABASE_URL: 'mysql://app:s3cret@127.0.0.1:1/app', LOG_LEVEL: 'debug' };
  const { code, stderr } = await rowlock(['list'], { env });
  expect(code).toBe(69);
  expect(stderr).toMatch(/^rowlock: .*\nUnreachableError: [\s\S]*\n {4}at [\s\S]*caused by/);
  expect(stderr).not.toContain('s3cret');
});

test('a reader that has seen enough ends the command quietly', async () => {
  for (let n = 0; n < 300; n++) await insertJob(db, { last_error: 'x'.repeat(1_000) });
  const shell = spawn(
    'sh',
    [
      '-c',
      '"$0" "$1" list --json --limit 300 | head -c 5'.replace('$1', join(__dirname, '..', 'dist', 'cli.js')),
      process.execPath,
    ],
    {
      env: { PATH: process.env['PATH'], DATABASE_URL: db.url },
    },
  );
  let printed = '';
  for (const stream of [shell.stdout, shell.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (printed += text));
  await new Promise((resolve) => shell.on('close', resolve));
  expect(printed).toMatch(/^\[\{"id$/);
});
