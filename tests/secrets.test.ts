import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDatabase, type TestDatabase } from './support/database';
import { rowlock } from './support/rowlock';

// Whatever goes wrong: what is printed and logged has no password, no token and no payload in it, also with
// LOG_LEVEL=debug, which prints stacks and causes.

const SECRETS = {
  password: 's3cr3t@pass:word/#?',
  mail: 'm@il-s3cret',
  token: 'ping-t0ken-4711',
  payload: 'payl0ad-canary',
};

/** As they are, and as a URL has them. */
const WORDS = [...Object.values(SECRETS), ...Object.values(SECRETS).map(encodeURIComponent), 's3cr3t', 's3cret'];

const folder = mkdtempSync(join(tmpdir(), 'rowlock-secrets-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let db: TestDatabase;
beforeAll(async () => {
  db = await createDatabase();
});

const at = (name: string): string => join(folder, name);

/** The worker's URL with something about it that is wrong. */
function urlWith(change: (url: URL) => void): string {
  const url = new URL(db.urls.worker);
  url.password = encodeURIComponent(SECRETS.password);
  change(url);
  return url.href;
}

const COMMANDS = [['run'], ['doctor', '--json'], ['migrate']];

const enc = encodeURIComponent(SECRETS.password);

const WRONG: [what: string, url: () => string][] = [
  ['a wrong password', () => urlWith(() => undefined)],
  ['an unknown user', () => urlWith((url) => Object.assign(url, { username: 'nobody' }))],
  ['an unknown database', () => db.urls.worker.replace(/\/[^/]*$/, '/nowhere')],
  ['nobody at the port', () => urlWith((url) => Object.assign(url, { port: '1' }))],
  ['no such host', () => urlWith((url) => Object.assign(url, { hostname: 'nowhere.invalid' }))],
  ['an unknown parameter', () => urlWith((url) => url.searchParams.set('sslmode', 'none'))],
  ['an ssl-ca that is not there', () => urlWith((url) => url.searchParams.set('ssl-ca', `/nowhere/${SECRETS.token}`))],
  ['TLS that cannot be verified', () => urlWith((url) => url.searchParams.set('ssl', 'true'))],
  ['a password that is not encoded', () => `mysql://rowlock:${SECRETS.password}@127.0.0.1:3306/app`],
  ['a password with an @', () => 'mysql://rowlock:s3cr3t@s3cr3t@127.0.0.1:3306/app'],
  ['a password with a #', () => 'mysql://rowlock:s3cr3t#s3cr3t@127.0.0.1:3306/app'],
  ['a password with a /', () => 'mysql://rowlock:s3cr3t/s3cr3t@127.0.0.1:3306/app'],
  ['a password with a %', () => 'mysql://rowlock:s3cr3t%zz@127.0.0.1:3306/app'],
  ['a password with a space', () => 'mysql://rowlock:s3cr3t s3cr3t@127.0.0.1:3306/app'],
  ['a password with a line break', () => 'mysql://rowlock:s3cr3t\ns3cr3t@127.0.0.1:3306/app'],
  ['no user', () => `mysql://:${enc}@127.0.0.1:3306/app`],
  ['another protocol', () => `postgres://rowlock:${enc}@127.0.0.1/app`],
  ['no host', () => `mysql://rowlock:${enc}@/app`],
  ['a port that is none', () => `mysql://rowlock:${enc}@127.0.0.1:s3cr3t/app`],
  ['no database', () => `mysql://rowlock:${enc}@127.0.0.1/`],
  ['no URL at all', () => SECRETS.password],
];

function expectSilence({ stdout, stderr }: { stdout: string; stderr: string }): void {
  for (const word of WORDS) expect(`${stdout}${stderr}`).not.toContain(word);
}

test.each(WRONG)(
  '%s: told, without a secret',
  async (_, url) => {
    const all = await Promise.all(
      COMMANDS.map((args) => rowlock(args, { env: { DATABASE_URL: url(), LOG_LEVEL: 'debug' } })),
    );
    for (const ended of all) {
      expect([64, 69, 78]).toContain(ended.code);
      expect(ended.stderr).toMatch(/^rowlock: /);
      expectSilence(ended);
    }
  },
  60_000,
);

test.each([
  ['SMTP_URL', `smtp//mailer:${SECRETS.mail}@host`],
  ['SMTP_URL', `http://mailer:${SECRETS.mail}@host`],
  ['ROWLOCK_PING_URL', `ftp://host/${SECRETS.token}`],
  ['ROWLOCK_PING_URL', SECRETS.token],
  ['REPORT_DATABASE_URL', `mysql://reader:${enc}@host`],
  ['DATABASE_URL', `mysql://worker:${enc}@host/`],
])('%s=%s is refused without being repeated', async (variable, value) => {
  const env = { DATABASE_URL: db.urls.worker, LOG_LEVEL: 'debug', [variable]: value };
  for (const args of [['run'], ['doctor', '--json'], ['types']]) {
    const ended = await rowlock(args, { env });
    expect(ended).toMatchObject({ code: 78, stderr: expect.stringContaining(variable) });
    expectSilence(ended);
  }
});

/** What job modules do, at their worst: with the connection and the settings at hand. */
const MODULE = `
const { createConnection } = require(${JSON.stringify(require.resolve('mysql2'))});
const how = process.env.HOW;
const fail = () => {
  const connection = createConnection(process.env.DATABASE_URL);
  connection.on('error', () => undefined);
  return Object.assign(new Error('it went wrong'), { connection, config: connection.config, settings: process.env });
};
if (how === 'load') throw fail();
if (how === 'stray') setImmediate(() => { throw fail(); });
if (how === 'unawaited') setImmediate(() => Promise.reject(fail()));
module.exports = [
  { type: 'throws', maxAttempts: 1, run() { throw fail(); } },
  { type: 'leaves', run() { setTimeout(() => { throw fail(); }, 20); return new Promise((resolve) => setTimeout(resolve, 40)); } },
  { type: 'asks', maxAttempts: 1, run: (payload, ctx) => ctx.complete((tx) => tx.query('INSERT INTO seen VALUES (?)', [payload.canary])) },
  { type: 'doubles', maxAttempts: 1, run: (payload, ctx) => ctx.complete((tx) => tx.query('SELECT nothing FROM background_jobs WHERE payload = ?', [payload.canary])) },
];`;

describe('a job module that fails with the connection and the environment attached to its errors', () => {
  const jobs = at('jobs.cjs');
  const env = () => ({
    DATABASE_URL: db.urls.worker,
    LOG_LEVEL: 'debug',
    LOG_FILE: at('log'),
    ROWLOCK_METRICS_FILE: at('rowlock.prom'),
    ROWLOCK_PING_URL: `http://127.0.0.1:1/${SECRETS.token}`,
    SMTP_URL: `smtp://mailer:${encodeURIComponent(SECRETS.mail)}@127.0.0.1:1`,
    MAIL_FROM: 'shop@example.com',
    ROWLOCK_JOBS: jobs,
  });

  beforeAll(() => writeFileSync(jobs, MODULE));

  const password = () => decodeURIComponent(new URL(db.urls.worker).password);

  test.each(['load', 'stray', 'unawaited'])('%s: the error alone is told', async (how) => {
    for (const args of [['run'], ['types'], ['doctor']]) {
      const ended = await rowlock(args, { env: { ...env(), HOW: how } });
      expectSilence(ended);
      expect(`${ended.stdout}${ended.stderr}`).not.toContain(password());
    }
  });

  test('in jobs: nothing of it is in the log, the errors, the metrics and the pings', async () => {
    const payload = JSON.stringify({ canary: SECRETS.payload });
    const mail = JSON.stringify({ to: 'ann@example.com', subject: 'x', text: SECRETS.payload });
    await db.pool.query('INSERT INTO background_jobs (job_type, payload, max_attempts) VALUES ?', [
      [...['throws', 'leaves', 'asks', 'doubles'].map((type) => [type, payload, 1]), ['email.send', mail, 1]],
    ]);
    const ended = await rowlock(['run'], { env: env() });
    expect(ended.code).toBe(0);
    const [errors] = await db.pool.query('SELECT job_id, error FROM background_job_errors');
    expect(errors).toHaveLength(5);
    const told = [
      ended.stdout,
      ended.stderr,
      readFileSync(at('log'), 'utf8'),
      readFileSync(at('rowlock.prom'), 'utf8'),
    ];
    told.push(JSON.stringify(errors));
    for (const args of [
      ['list', '--json'],
      ['list'],
      ['status', '--json'],
      ['metrics'],
      ['doctor', '--json'],
      ['types', '--json'],
    ]) {
      const answer = await rowlock(args, { env: { ...env(), LOG_FILE: '' } });
      told.push(answer.stdout, answer.stderr);
    }
    expectSilence({ stdout: told.join('\n'), stderr: '' });
    expect(told.join('\n')).not.toContain(password());
  }, 60_000);
});

test('what is enqueued is not repeated when it is refused, or there already', async () => {
  const env = { DATABASE_URL: db.urls.producer, LOG_LEVEL: 'debug' };
  const key = ['--unique-key', 'daily'];
  await rowlock(['enqueue', 'a.b', JSON.stringify({ canary: SECRETS.payload }), ...key], { env });
  for (const args of [
    ['enqueue', 'a.b', JSON.stringify({ canary: SECRETS.payload }), ...key],
    ['enqueue', 'a.b', `{"canary": "${SECRETS.payload}"`],
    ['enqueue', 'a.b', `{"canary": 1e999, "b": "${SECRETS.payload}"}`],
    ['enqueue', 'a.b', `${'['.repeat(200)}"${SECRETS.payload}"${']'.repeat(200)}`],
  ]) {
    const ended = await rowlock(args, { env });
    expect(ended.code).not.toBe(0);
    expectSilence(ended);
  }
});

test('a log file that cannot be written is told, and no secret with it', async () => {
  const url = urlWith((each) => Object.assign(each, { port: '1' }));
  const ended = await rowlock(['run'], {
    env: { DATABASE_URL: url, LOG_LEVEL: 'info', LOG_FILE: '/nowhere/at/all.log' },
  });
  expect(ended.code).not.toBe(0);
  expectSilence(ended);
});
