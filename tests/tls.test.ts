import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createConnection, type RowDataPacket } from 'mysql2/promise';
import { createQueue } from '../src/library/queue';
import { parseServerUrl } from '../src/server-url';
import { Authority, type Certificate, hasOpenssl } from './faults/stage/certificates.mjs';
import { startOwnServer } from './support/own-server';
import { rowlock, start } from './support/rowlock';
import { until } from './support/until';

const PASSWORD = 'pässwört-of-the-worker';
const folder = mkdtempSync(join(tmpdir(), 'rowlock-tls-'));
const at = (name: string): string => join(folder, name);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

if (!hasOpenssl()) process.stderr.write('rowlock: no certificate can be made here; openssl is missing\n');
const describeTls = hasOpenssl() ? describe : describe.skip;

describeTls('a server with a certificate', () => {
  let root: string;
  let good: Authority;
  let wrong: Authority;

  beforeAll(async () => {
    good = new Authority(folder, 'good');
    wrong = new Authority(folder, 'wrong');
    place(good.sign(['DNS:localhost', 'IP:127.0.0.1']));
    root = await startOwnServer([`--ssl-ca=${good.file}`, `--ssl-cert=${at('cert')}`, `--ssl-key=${at('key')}`], 'UTC');
    await tell(
      `CREATE USER 'tls'@'127.0.0.1' IDENTIFIED BY '${PASSWORD}' REQUIRE SSL`,
      'GRANT ALL ON *.* TO tls@127.0.0.1',
    );
    expect(await rowlock(['migrate'], { env: { DATABASE_URL: urlOf({ ca: good.file }) } })).toMatchObject({ code: 0 });
  }, 60_000);

  /** Where the server looks for what it shows. */
  function place({ cert, key }: Certificate): void {
    copyFileSync(cert, at('cert'));
    copyFileSync(key, at('key'));
  }

  async function tell(...statements: string[]): Promise<RowDataPacket[]> {
    const connection = await createConnection({ uri: root });
    let answer: RowDataPacket[] = [];
    for (const statement of statements) [answer] = await connection.query<RowDataPacket[]>(statement);
    await connection.end();
    return answer;
  }

  async function show(certificate: Certificate): Promise<void> {
    place(certificate);
    const [{ version }] = (await tell('SELECT VERSION() AS version')) as [{ version: string }];
    await tell(version.includes('MariaDB') ? 'FLUSH SSL' : 'ALTER INSTANCE RELOAD TLS');
  }

  /** False: this server does not even take it, as MySQL does with one that has expired. */
  async function shows(certificate: Certificate): Promise<boolean> {
    try {
      await show(certificate);
      return true;
    } catch (error) {
      expect(error).toMatchObject({ code: expect.stringMatching(/SSL_LIBRARY_ERROR$/) });
      return false;
    }
  }

  /** What DATABASE_URL says, for a user whom the server takes with TLS alone. */
  function urlOf({ host = 'localhost', ca, more = '' }: { host?: string; ca?: string; more?: string }): string {
    const url = new URL(root);
    [url.username, url.password, url.hostname] = ['tls', encodeURIComponent(PASSWORD), host];
    url.search = [
      ...(ca === undefined ? [] : [`ssl-ca=${encodeURIComponent(ca)}`]),
      ...(more === '' ? [] : [more]),
    ].join('&');
    return url.href;
  }

  const ask = (url: string, command = ['wait', '--timeout', '5s'], env = {}) =>
    rowlock(command, { env: { DATABASE_URL: url, ...env } });

  test.each(['localhost', '127.0.0.1'])('that names the host is taken at %s', async (host) => {
    await show(good.sign(['DNS:localhost', 'IP:127.0.0.1']));
    expect(await ask(urlOf({ host, ca: good.file }))).toMatchObject({ code: 0, stdout: '', stderr: '' });
  });

  test('each session of a run is encrypted, the heartbeat’s too', async () => {
    await show(good.sign(['DNS:localhost']));
    const jobs = at('jobs.cjs');
    writeFileSync(
      jobs,
      `module.exports = [{ type: 'look', timeout: '1m', run: (payload, ctx) => ctx.complete(async (tx) => {
         await tx.query('DO SLEEP(1.5)');
         const [[status]] = await tx.query("SHOW SESSION STATUS LIKE 'Ssl_cipher'");
         await tx.query('INSERT INTO seen VALUES (?)', [status.Value]);
       }) }];`,
    );
    await tell(
      'CREATE TABLE rowlock.seen (cipher VARCHAR(100))',
      "INSERT INTO rowlock.background_jobs (job_type) VALUES ('look')",
    );
    const run = start(['run', '--jobs', jobs, '--lease', '1s'], { env: { DATABASE_URL: urlOf({ ca: good.file }) } });
    // The user is let in with TLS alone: a session that lives was encrypted from its first packet.
    const sessions = "SELECT COUNT(*) AS sessions FROM information_schema.PROCESSLIST WHERE USER = 'tls'";
    const renewed =
      'SELECT COUNT(*) AS renewed FROM rowlock.background_job_runs WHERE lease_expires_at > started_at + INTERVAL 1200000 MICROSECOND';
    await until(async () => Number((await tell(renewed))[0]?.['renewed']) === 1, 'the lease is renewed', {
      deadlineMs: 45_000,
    });
    expect(Number((await tell(sessions))[0]?.['sessions'])).toBeGreaterThan(1);
    expect(await run.ended).toMatchObject({ code: 0, stderr: '' });
    expect(await tell('SELECT cipher FROM rowlock.seen')).toEqual([{ cipher: expect.stringMatching(/\w{8}/) }]);
  }, 60_000);

  const REFUSED: [string, () => Certificate, () => string, RegExp][] = [
    [
      'of another CA',
      () => good.sign(['DNS:localhost']),
      () => urlOf({ ca: wrong.file }),
      /cannot be trusted \(.*certificate.*\); have ssl-ca in DATABASE_URL name the CA/,
    ],
    [
      'of no CA that everybody trusts',
      () => good.sign(['DNS:localhost']),
      () => urlOf({ more: 'ssl=true' }),
      /cannot be trusted \(.*certificate.*\)/,
    ],
    [
      'that has expired',
      () => good.sign(['DNS:localhost'], { days: -1 }),
      () => urlOf({ ca: good.file }),
      /cannot be trusted \(.*expired.*\); .* or renew that/,
    ],
    [
      'for another name',
      () => good.sign(['DNS:db.example.com']),
      () => urlOf({ ca: good.file }),
      /for another host \(.*db\.example\.com.*\); name the host in DATABASE_URL/,
    ],
    [
      'for a name, where the host is an address',
      () => good.sign(['DNS:localhost']),
      () => urlOf({ host: '127.0.0.1', ca: good.file }),
      /for another host \(/,
    ],
    [
      'for an address, where the host is a name',
      () => good.sign(['IP:127.0.0.1']),
      () => urlOf({ ca: good.file }),
      /for another host \(/,
    ],
    [
      'of another CA, where the name does not matter',
      () => good.sign(['DNS:localhost']),
      () => urlOf({ ca: wrong.file, more: 'ssl-verify=ca' }),
      /cannot be trusted \(/,
    ],
  ];
  test.each(REFUSED)('%s is refused, by one line and the mend', async (_, certificate, url, words) => {
    if (!(await shows(certificate()))) return;
    for (const [command, level] of [
      [['wait', '--timeout', '5s'], 'warn'],
      [['run'], 'debug'],
    ] as const) {
      const { code, stdout, stderr } = await ask(url(), [...command], { LOG_LEVEL: level });
      expect({ code, stdout }).toEqual({ code: 78, stdout: '' });
      const [line = '', ...more] = stderr.trimEnd().split('\n');
      expect(line).toMatch(/^rowlock: the database server at (localhost|127\.0\.0\.1):\d+ /);
      expect(line).toMatch(words);
      if (level !== 'debug') expect(more).toEqual([]);
      expect(stderr).not.toMatch(/p(ä|%C3%A4)ssw/i);
    }
  });

  test('for another name is taken with ssl-verify=ca', async () => {
    await show(good.sign(['DNS:MySQL_Server_Auto_Generated_Server_Certificate']));
    expect(await ask(urlOf({ ca: good.file, more: 'ssl-verify=ca' }))).toMatchObject({ code: 0, stderr: '' });
  });

  test('is verified by the library, too', async () => {
    await show(good.sign(['DNS:localhost']));
    const queue = createQueue(urlOf({ ca: good.file }));
    await queue.enqueue({ type: 'any' });
    await queue.close();
    const fooled = createQueue(urlOf({ ca: wrong.file }));
    await expect(fooled.enqueue({ type: 'any' })).rejects.toMatchObject({ code: 'ROWLOCK_CONFIG' });
    await fooled.close();
  });

  test('a server that insists on TLS says what is missing', async () => {
    await show(good.sign(['DNS:localhost']));
    await tell('SET GLOBAL require_secure_transport = ON');
    const url = new URL(root);
    const ended = await ask(url.href);
    const connection = await createConnection({ uri: root, ssl: { rejectUnauthorized: false } });
    await connection.query('SET GLOBAL require_secure_transport = OFF');
    await connection.end();
    expect(ended).toMatchObject({
      code: 78,
      stderr: expect.stringMatching(
        /^rowlock: (.*insecure transport.*; add \?ssl-ca=.*|Access denied for user .*: correct DATABASE_URL)\n$/,
      ),
    });
  });

  test('a server without TLS is told as one', async () => {
    const [{ version }] = (await tell('SELECT VERSION() AS version')) as [{ version: string }];
    const plain = await startOwnServer([version.includes('MariaDB') ? '--skip-ssl' : '--tls-version='], 'UTC');
    expect(await ask(`${plain}?ssl-ca=${encodeURIComponent(good.file)}`)).toMatchObject({
      code: 78,
      stderr: expect.stringMatching(
        /^rowlock: the database server at 127\.0\.0\.1:\d+ offers no TLS, .*leave out ssl\n$/,
      ),
    });
  }, 60_000);

  test.each([
    ['ssl=yes', /^has another ssl than true or false/],
    ['ssl=false&ssl-ca=CA', /^has ssl=false beside/],
    ['ssl-verify=ca', /^has ssl-verify=ca and no ssl-ca/],
    ['ssl-verify=none&ssl-ca=CA', /^has another ssl-verify than identity or ca/],
    ['ssl-ca=/nowhere/ca.pem', /^names an ssl-ca file that is not there/],
    ['ssl-ca=KEY', /^names an ssl-ca file that .*holds no certificate/],
    ['ssl-ca=BROKEN', /^names an ssl-ca file that .*holds no certificate/],
    ['ssl=true&socket=/run/mysqld.sock', /^asks for TLS on a socket/],
    ['sslmode=disable', /^has the unknown parameter "sslmode"/],
  ])('%s is no way to ask for it', (search, words) => {
    writeFileSync(at('broken.pem'), '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
    const files = { CA: good.file, KEY: at('key'), BROKEN: at('broken.pem') };
    const filled = search.replace(/\b(CA|KEY|BROKEN)\b/, (name) => files[name as keyof typeof files]);
    expect(parseServerUrl(`mysql://u:p@h/d?${filled}`)).toMatch(words);
  });

  test('without a word on it there is none', () => {
    expect(parseServerUrl('mysql://u:p@h/d')).not.toHaveProperty('ssl');
    expect(parseServerUrl('mysql://u:p@h/d?ssl=false')).not.toHaveProperty('ssl');
    expect(parseServerUrl('mysql://u:p@h/d?ssl=true')).toMatchObject({ ssl: { verifyIdentity: true } });
  });
});
