import { hostname } from 'node:os';
import { Account } from '../src/monitor/account';
import { readRun } from './support/life';
import { type Answer, type PingServer, SECRET, startPingServer } from './support/ping-server';
import type { Ended } from './support/rowlock';
import { insertRow } from './support/rows';
import { until } from './support/until';
import { openWorkshop, type Workshop } from './support/workshop';

let shop: Workshop;
let server: PingServer;

beforeAll(async () => {
  shop = await openWorkshop('run-jobs.js');
});

beforeEach(async () => {
  await shop.clear();
  server = await startPingServer();
});

afterEach(() => server.close());

const run = (args: string[] = [], env: Record<string, string> = {}) =>
  shop.run(args, { ROWLOCK_PING_URL: server.url, ...env });

const start = (args: string[] = []) => shop.start(args, { ROWLOCK_PING_URL: server.url });

const noted = (line: string) => until(() => shop.notes().includes(line), `a note: ${line}`);

/** The end ping's body, line by line. */
const told = () => server.pings.at(-1)?.body.trimEnd().split('\n') ?? [];

const sumOf = (what: string) => expect.stringMatching(new RegExp(`^run \\d+ .*${what}`));

describe('pings in this order', () => {
  test('success: start, end', async () => {
    await shop.add('echo', 'a secret');
    const { code, stderr } = await run([], { LOG_LEVEL: 'debug' });
    expect(code).toBe(0);
    expect(stderr).not.toContain('ping');
    expect(server.paths()).toEqual(['/start', '']);
    expect(told()).toEqual([sumOf('finished after .* 1 claimed, 1 completed')]);
    const [first, last] = server.pings.map(({ query }) => query.get('rid'));
    expect(first).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
    expect(last).toBe(first);
  });

  test('a dead letter: start, end with its line; with --fail-on-error the exit code', async () => {
    const id = await shop.add('fail', 'no luck', { max_attempts: 1 });
    await run();
    expect(server.paths()).toEqual(['/start', '']);
    const line = `1 job failed for good: fail (${id}): no luck; see rowlock show ${id}`;
    expect(told()).toEqual([sumOf('1 failed'), line]);
    await shop.add('fail', 'no luck', { max_attempts: 1 });
    expect((await run(['--fail-on-error'])).code).toBe(1);
    expect(server.paths().slice(2)).toEqual(['/start', '/1']);
    const [first, second] = server.pings.map(({ query }) => query.get('rid')).slice(1);
    expect(second).not.toBe(first);
  });

  test('a lost lease: start, 75', async () => {
    await shop.add('gated', 'slow');
    await shop.add('gated', 'quick');
    const worker = start(['--keep-alive', '1m', '--poll', '20ms']);
    await noted('slow began');
    await noted('quick began');
    await shop.db.pool.query(`UPDATE background_job_runs SET finished_at = NOW(3), outcome = 'lost', slot = NULL`);
    shop.openGate('quick');
    expect((await worker.ended).code).toBe(75);
    expect(server.paths()).toEqual(['/start', '/75']);
    expect(told()).toContainEqual(expect.stringContaining('lost its lease'));
    expect(told().at(-1)).toMatch(/^run \d+ lost after /);
  });

  test('the server is down: start, 69', async () => {
    const ended = await run([], { DATABASE_URL: 'mysql://app:s3cret@127.0.0.1:1/app' });
    expect(ended).toMatchObject({ code: 69, stdout: '' });
    expect(server.paths()).toEqual(['/start', '/69']);
    expect(ended.stderr).toBe(`rowlock: ${told().join('\n')}\n`);
    expect(told()).toEqual([expect.stringMatching(/^the database server at 127\.0\.0\.1:1 does not answer/)]);
  });

  test('a fault of the configuration that keeps it from starting: start, 78', async () => {
    expect((await run(['--jobs', shop.path('absent.js')])).code).toBe(78);
    expect(server.paths()).toEqual(['/start', '/78']);
    expect(told()).toEqual([expect.stringContaining('absent.js')]);
  });

  test('a fault of the server in the middle: start, 78', async () => {
    await shop.add('once.active.gated');
    const worker = start();
    await noted('began');
    await shop.db.pool.query('RENAME TABLE background_job_errors TO hidden');
    try {
      shop.openGate('fail');
      expect((await worker.ended).code).toBe(78);
    } finally {
      await shop.db.pool.query('RENAME TABLE hidden TO background_job_errors');
    }
    expect(server.paths()).toEqual(['/start', '/78']);
    expect(told()).toEqual([sumOf('error after'), expect.stringContaining('run rowlock migrate')]);
  });

  test('a run that is skipped: start, end', async () => {
    const other = { id: 7, host: hostname(), pid: 1, slot: 0, lease_expires_at: new Date(Date.now() + 3_600_000) };
    await insertRow(shop.db, 'background_job_runs', other);
    expect((await run()).code).toBe(0);
    expect(server.paths()).toEqual(['/start', '']);
    expect(told()).toEqual([sumOf('skipped: another run has this host')]);
  });

  test('SIGTERM: start, end', async () => {
    await shop.add('gated', 'door');
    const worker = start(['--grace', '0']);
    await noted('door began');
    worker.child.kill('SIGTERM');
    expect((await worker.ended).code).toBe(0);
    expect(server.paths()).toEqual(['/start', '']);
    expect(told()).toEqual([sumOf('stopped after .* 1 given back')]);
  });

  test('SIGKILL: start, and no end, which is what a watcher waits for', async () => {
    await shop.add('gated', 'door');
    const worker = start();
    await noted('door began');
    await until(() => server.pings.length > 0, 'the start ping');
    worker.child.kill('SIGKILL');
    await worker.ended;
    expect(server.paths()).toEqual(['/start']);
  });
});

test('the work does not wait for the start ping, and the end ping does', async () => {
  const held: (() => void)[] = [];
  const slow = await startPingServer((path, response) =>
    path === '/start' ? held.push(() => response.end()) : response.end(),
  );
  const id = await shop.add('echo');
  const worker = shop.start(['--ping-url', slow.url]);
  await until(async () => (await readRun(shop))['outcome'] === 'finished', 'the run has closed its row');
  expect(await shop.job(id)).toMatchObject({ status: 'completed' });
  expect(slow.paths()).toEqual(['/start']);
  for (const answer of held) answer();
  expect((await worker.ended).code).toBe(0);
  expect(slow.paths()).toEqual(['/start', '']);
});

describe('a ping that goes wrong', () => {
  const redirectTo = (target: () => string): Answer => {
    return (path, response) => response.writeHead(307, { location: `${target()}${path}` }).end();
  };

  /** What the server does, what arrives there, and what the run says of it at debug. */
  const WRONGS: Record<string, [Answer | undefined, string[], string[]]> = {
    'is never answered': [() => undefined, ['/start', ''], ['start: no answer in time', 'end: no answer in time']],
    'is answered by half': [(_path, response) => response.writeHead(200).write('O') && undefined, ['/start', ''], []],
    'is answered with 500: the end is sent once more': [
      (_path, response) => response.writeHead(500).end(),
      ['/start', '', ''],
      ['start: HTTP 500', 'end: HTTP 500'],
    ],
    'is answered with 404': [
      (_path, response) => response.writeHead(404).end(),
      ['/start', ''],
      ['start: HTTP 404', 'end: HTTP 404'],
    ],
    'is cut off': [
      (_path, response) => response.destroy() && undefined,
      ['/start', '', ''],
      ['start: ECONNRESET', 'end: ECONNRESET'],
    ],
    'finds nobody': [undefined, [], ['start: ECONNREFUSED', 'end: ECONNREFUSED']],
    'is sent round in circles': [
      redirectTo(() => `/${SECRET}`),
      [...Array(6).fill('/start'), ...Array(6).fill('')],
      ['start: HTTP 307', 'end: HTTP 307'],
    ],
    'is sent to where it cannot go': [
      (_path, response) => response.writeHead(301, { location: 'ftp://[' }).end(),
      ['/start', ''],
      ['start: HTTP 301', 'end: HTTP 301'],
    ],
  };

  interface Story {
    ended: Ended;
    paths: string[];
    job: Record<string, unknown>;
  }
  const stories = new Map<string, Story>();

  // The first of them takes all the time that pings are given: the others have theirs meanwhile.
  beforeAll(async () => {
    await shop.clear();
    await Promise.all(
      Object.entries(WRONGS).map(async ([name, [answer]], place) => {
        const wrong = await startPingServer(answer);
        if (answer === undefined) await wrong.close();
        const queue = `queue${place}`;
        const id = await shop.add('echo', 1, { queue });
        const ended = await shop.run(['--queue', queue], { ROWLOCK_PING_URL: wrong.url, LOG_LEVEL: 'debug' });
        stories.set(name, { ended, paths: wrong.paths(), job: await shop.job(id) });
      }),
    );
  }, 60_000);

  const pingEvents = ({ stderr }: Ended) =>
    stderr
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { event: string; ping: string; why: string; message: string })
      .filter(({ event }) => event === 'ping.failed');

  test.each(Object.entries(WRONGS))('%s: the run ends as it would', (name, [, paths, whys]) => {
    const story = stories.get(name);
    if (story === undefined) throw new Error('this run did not end');
    expect(story.ended).toMatchObject({ code: 0, signal: null, stdout: '' });
    expect(story.job).toMatchObject({ status: 'completed' });
    expect(story.paths).toEqual(paths);
    expect(pingEvents(story.ended).map(({ ping, why }) => `${ping}: ${why}`)).toEqual(whys);
    for (const { ping, why, message } of pingEvents(story.ended)) {
      expect(message).toBe(`the ${ping} ping failed (${why})`);
    }
    expect(story.ended.stderr).not.toContain(SECRET);
  });
});

describe('the URL', () => {
  test('keeps its query, its rid and its slash, and its password goes into a header', async () => {
    const url = new URL(server.url);
    url.username = 'ann';
    url.password = 'p@ss';
    await run(['--ping-url', `${url.href}/?create=1&tag=a%20b+c`]);
    await run(['--ping-url', `${server.url}?rid=own#part`]);
    expect(server.pings.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'POST /start',
      'POST /',
      'POST /start',
      'POST ',
    ]);
    expect(server.pings.map(({ query }) => query.getAll('rid').length)).toEqual([1, 1, 1, 1]);
    expect(server.pings[0]?.query.get('tag')).toBe('a b c');
    expect(server.pings[3]?.query.get('rid')).toBe('own');
    expect(server.pings[0]?.authorization).toBe(`Basic ${Buffer.from('ann:p@ss').toString('base64')}`);
  });

  test('that has moved is followed', async () => {
    const moved = await startPingServer((path, response) => {
      response.writeHead(308, { location: `${server.url}${path}` }).end();
    });
    await shop.add('fail', 'no luck', { max_attempts: 1 });
    await run(['--ping-url', moved.url, '--fail-on-error']);
    expect(server.paths()).toEqual(['/start', '/1']);
    expect(told()).toHaveLength(2);
  });

  test('that is none is refused without being shown', async () => {
    const { code, stderr } = await run(['--ping-url', `hc-ping.com/${SECRET}`]);
    expect({ code, stderr }).toEqual({
      code: 64,
      stderr: 'rowlock: --ping-url is not of the form https://host/path\n',
    });
  });
});

test('nobody is told of a look, of jobs that a person names, or of the process of a suspect', async () => {
  const id = await shop.add('echo');
  await run(['--dry-run']);
  await run(['--id', String(id)]);
  expect(server.paths()).toEqual([]);
  const suspect = await shop.add('echo', 1, { crashes: 1 });
  await run();
  expect(await shop.job(suspect)).toMatchObject({ status: 'completed' });
  expect(server.paths()).toEqual(['/start', '']);
});

describe('the body', () => {
  test('has what was told at warn and above, whatever the level of the log, and not what was told below', async () => {
    const id = await shop.add('fail', 'first\nsecond', { max_attempts: 1 });
    await shop.add('fail', 'will be retried');
    await run([], { LOG_LEVEL: 'error' });
    expect(told()).toEqual([
      sumOf('1 to be retried, 1 failed'),
      `1 job failed for good: fail (${id}): first second; see rowlock show ${id}`,
    ]);
  });

  test('is the last lines, in 10,000 bytes', () => {
    const account = new Account();
    for (let n = 0; n < 500; n++) account.add(`line ${n}\n${'😀'.repeat(n)}`);
    const lines = account.body.trimEnd().split('\n');
    expect(lines.length).toBeGreaterThan(3);
    expect(Buffer.byteLength(account.body)).toBeLessThanOrEqual(10_000);
    expect(lines.map((line) => /^line (\d+) 😀/.exec(line)?.[1])).toEqual(
      lines.map((_line, place) => String(500 - lines.length + place)),
    );
    account.add('😀'.repeat(5_000));
    expect(account.body.trimEnd().split('\n').at(-1)).toBe(`${'😀'.repeat(499)}\uFFFD…`);
  });

  test('is empty when nothing was told', () => {
    expect(new Account().body).toBe('');
  });
});
