import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDatabase, type TestDatabase } from './support/database';
import { type Ended, type RowlockOptions, rowlock } from './support/rowlock';
import { readJob } from './support/rows';

let db: TestDatabase;
let folder: string;
let jobs: string;

const JOBS = `
const { z } = require(${JSON.stringify(require.resolve('zod'))});
module.exports = [
  { type: 'test.mail', queue: 'mail', priority: -3, maxAttempts: 4,
    payload: z.object({ to: z.email(), count: z.number().int() }), run() {} },
  { type: 'test.anything', run() {} },
];
setInterval(() => {}, 1000); // a module that keeps its process alive
`;

beforeAll(async () => {
  db = await createDatabase();
  await db.users.uncomment('producer', 'unique_key');
  folder = mkdtempSync(join(tmpdir(), 'rowlock-enqueue-'));
  jobs = join(folder, 'jobs.cjs');
  writeFileSync(jobs, JOBS);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const enqueue = (args: string[], { env, ...options }: RowlockOptions = {}): Promise<Ended> =>
  rowlock(['enqueue', ...args], { env: { DATABASE_URL: db.urls.producer, ...env }, ...options });

const enqueueKnown = (args: string[]): Promise<Ended> => enqueue(args, { env: { ROWLOCK_JOBS: jobs } });

/** The id that was printed, alone, with nothing beside it. */
function idOf({ code, stdout, stderr }: Ended): number {
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/^\d+\n$/);
  return Number(stdout);
}

test('prints the id alone; without a payload it is NULL', async () => {
  expect(await readJob(db, idOf(await enqueue(['a.b'])))).toMatchObject({
    job_type: 'a.b',
    payload: null,
    queue: 'default',
  });
});

test('--json prints an object', async () => {
  const { stdout } = await enqueue(['a.b', '--json']);
  expect(JSON.parse(stdout)).toEqual({ id: expect.any(Number), duplicate: false });
});

test('takes the payload from the command line, a file, or the standard input, with every character', async () => {
  const payload = '{"e": "😀 𝒳 é", "n": 9007199254740993}';
  const file = join(folder, 'payload.json');
  writeFileSync(file, `\uFEFF${payload}`);
  for (const ended of [
    await enqueue(['a', payload]),
    await enqueue(['a', `@${file}`]),
    await enqueue(['a', '-'], { input: payload }),
  ]) {
    expect((await readJob(db, idOf(ended)))['payload']).toBe(payload);
  }
});

test('all options', async () => {
  const args = [
    '--queue',
    'q',
    '--priority',
    '-7',
    '--run-at',
    '2037-06-01T00:00:00+02:00',
    '--unique-key',
    'k 🔑',
    '--max-attempts',
    '0',
  ];
  const job = await readJob(db, idOf(await enqueue(['all.options', 'null', ...args])));
  expect(job).toMatchObject({ queue: 'q', priority: -7, unique_key: 'k 🔑', max_attempts: 0, payload: 'null' });
  const { stdout } = await rowlock(['show', String(job['id']), '--json'], { env: { DATABASE_URL: db.urls.viewer } });
  expect(JSON.parse(stdout)).toMatchObject({ run_at: '2037-05-31T22:00:00.000Z' });
});

test('--in counts from now', async () => {
  const { stdout } = await rowlock(['show', String(idOf(await enqueue(['a', '--in', '2h'])))], {
    env: { DATABASE_URL: db.urls.viewer },
  });
  expect(stdout).toMatch(/run at +in 2 h/);
});

describe('a second job with a unique key', () => {
  test('is not enqueued: the id of the first is printed, and cron gets no mail from stderr', async () => {
    const first = idOf(await enqueue(['once', '1', '--unique-key', 'today']));
    expect(idOf(await enqueue(['once', '2', '--unique-key', 'today']))).toBe(first);
    const { stdout } = await enqueue(['once', '2', '--unique-key', 'today', '--json']);
    expect(JSON.parse(stdout)).toEqual({ id: first, duplicate: true });
  });

  test('is told of where more is asked for', async () => {
    await enqueue(['twice', '--unique-key', 'today']);
    const { code, stderr } = await enqueue(['twice', '--unique-key', 'today'], { env: { LOG_LEVEL: 'info' } });
    expect(code).toBe(0);
    expect(stderr).toMatch(/^rowlock: job \d+ has this unique key already \(it is pending\); nothing was enqueued\n$/);
  });
});

describe('a type that is known here', () => {
  test('brings its queue and priority, and the command line stands above them', async () => {
    const payload = '{"to": "a@example.com", "count": 1}';
    expect(await readJob(db, idOf(await enqueueKnown(['test.mail', payload])))).toMatchObject({
      queue: 'mail',
      priority: -3,
      max_attempts: null,
    });
    expect(
      await readJob(db, idOf(await enqueueKnown(['test.mail', payload, '--queue', 'q', '--priority', '1']))),
    ).toMatchObject({
      queue: 'q',
      priority: 1,
    });
  });

  test('refuses a payload against its schema, naming each field and no value', async () => {
    const { code, stdout, stderr } = await enqueueKnown(['test.mail', '{"to": "s3cret", "count": 1.5}']);
    expect({ code, stdout }).toEqual({ code: 64, stdout: '' });
    expect(stderr).toMatch(/^rowlock: test\.mail: payload refused: to: .*; count: .*\n$/);
    expect(stderr).not.toContain('s3cret');
    expect((await enqueueKnown(['test.mail'])).code).toBe(64);
  });

  test('is meant by a name that is nearly its own, which is enqueued as it is', async () => {
    const { code, stdout, stderr } = await enqueueKnown(['test.mial', '{}']);
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: 'rowlock: no job type "test.mial" is known here; did you mean test.mail? It is enqueued as it is\n',
    });
    expect(await readJob(db, Number(stdout))).toMatchObject({ job_type: 'test.mial', queue: 'default' });
  });

  test('is not meant by another name', async () => {
    idOf(await enqueueKnown(['somebody.else', '{}']));
  });
});

test.each<[string[], RegExp]>([
  [['a', '{"k": '], /payload is no JSON: it ends too soon; quote it for the shell/],
  [['a', '{k: "s3cret"}'], /payload is no JSON: line 1, column 2/],
  [['a', ''], /payload is empty/],
  [['a', '@/no/such/file'], /payload file \/no\/such\/file cannot be read: .*ENOENT/],
  [['a', '18446744073709551616'], /integer beyond 64 bits, which the database would round; send it as a string/],
  [['a', '['.repeat(101) + ']'.repeat(101)], /nested deeper than 100 levels/],
  [[''], /job type is empty/],
  [['a '], /job type ends with a space/],
  [['t'.repeat(256)], /256 characters; 255 is the most/],
  [['a', '--priority', 'high'], /--priority "high" is no whole number/],
  [['a', '--priority', '40000'], /priority 40000 is no whole number from -32768 to 32767/],
  [['a', '--max-attempts', '-1'], /max attempts -1 is no whole number/],
  [['a', '--in', '5'], /--in "5" is no duration/],
  [['a', '--run-at', 'tomorrow'], /--run-at "tomorrow" is no time such as/],
  [['a', '--run-at', '1969-12-31'], /outside of what a TIMESTAMP holds/],
  [['a', '--run-at', '2038-01-20'], /outside of what a TIMESTAMP holds/],
  [['a', '--run-at', '2037-01-20', '--in', '5m'], /leave one out/],
  [['a', '--jobs', '/no/such/jobs.js'], /no job module/],
])('a wrong command line is refused in one line, %#', async (args, words) => {
  const { code, stdout, stderr } = await enqueue(args);
  expect([64, 78]).toContain(code);
  expect(stdout).toBe('');
  expect(stderr).toMatch(words);
  expect(stderr).toMatch(/^rowlock: .+\n$/);
  expect(stderr).not.toContain('s3cret');
});

test('a job module that fails on its own is told in one line', async () => {
  const file = join(folder, 'stray.cjs');
  writeFileSync(file, `module.exports = []; Promise.reject(new Error('stray'));`);
  expect(await enqueue(['a', '--jobs', file])).toMatchObject({ code: 70, stderr: 'rowlock: stray\n' });
});

test('text that is no UTF-8 is refused', async () => {
  const file = join(folder, 'latin1.json');
  writeFileSync(file, Buffer.from('"\xe9"', 'latin1'));
  const { code, stderr } = await enqueue(['a', `@${file}`]);
  expect({ code, stderr }).toEqual({ code: 64, stderr: `rowlock: the payload file ${file} is no UTF-8 text\n` });
});

test('a payload of megabytes arrives whole', async () => {
  const file = join(folder, 'large.json');
  writeFileSync(file, JSON.stringify('\u00e9"'.repeat(1_000_000)));
  const id = idOf(await enqueue(['a', `@${file}`]));
  expect(String((await readJob(db, id))['payload'])).toHaveLength(3_000_002);
});
