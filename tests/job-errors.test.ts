import { openWorkshop, type Workshop } from './support/workshop';

let shop: Workshop;

beforeAll(async () => {
  shop = await openWorkshop('function-jobs.js');
});

beforeEach(() => shop.clear());

/** Seconds from the start of the newest attempt until the job is due. */
const pauseOf = async (id: number): Promise<number> => {
  const [row] = await shop.rows(
    'SELECT TIMESTAMPDIFF(SECOND, started_at, run_at) AS s FROM background_jobs WHERE id = ?',
    [id],
  );
  return Number(row?.['s']);
};

describe('what is thrown', () => {
  test('of any kind is a failure in words, at most 2,000 characters', async () => {
    const words = {
      string: /^just words$/,
      null: /^null$/,
      undefined: /^undefined$/,
      huge: /^x{1999}…$/,
      cycle: /^went round$/,
      object: /^a thrown object that cannot be put into words$/,
      broken: /^half \ufffd and \ufffd and 😀$/,
      nasty: /^a thrown object that cannot be put into words$/,
      trap: /^a thrown object that cannot be put into words$/,
      revoked: /^a thrown object that cannot be put into words$/,
      symbol: /^Symbol\(odd\)$/,
    };
    const ids = new Map<string, number>();
    for (const kind of Object.keys(words)) ids.set(kind, await shop.add('throw', kind));
    expect(await shop.run()).toEqual({ code: 0, signal: null, stdout: '', stderr: '' });
    for (const [kind, expected] of Object.entries(words)) {
      const { status, attempts, last_error } = await shop.job(ids.get(kind) ?? 0);
      expect({ kind, status, attempts, last_error }).toEqual({
        kind,
        status: 'pending',
        attempts: 1,
        last_error: expect.stringMatching(expected),
      });
    }
    expect(await shop.rows('SELECT id FROM background_job_errors')).toHaveLength(ids.size);
  });

  test('UnrecoverableError fails at once; RetryAfterError chooses the pause and counts as an attempt', async () => {
    const final = await shop.add('throw', 'final');
    const later = await shop.add('throw', 'later');
    const soon = await shop.add('throw', 'soon');
    const last = await shop.add('throw', 'later', { max_attempts: 3, attempts: 2 });
    await shop.run();
    expect(await shop.job(final)).toMatchObject({
      status: 'failed',
      attempts: 1,
      last_error: expect.stringContaining('no such customer'),
    });
    expect(await shop.job(later)).toMatchObject({
      status: 'pending',
      attempts: 1,
      last_error: expect.stringContaining('busy'),
    });
    expect(await shop.job(last)).toMatchObject({ status: 'failed', attempts: 3 });
    expect(Math.abs((await pauseOf(later)) - 600)).toBeLessThan(10);
    expect(Math.abs((await pauseOf(soon)) - 90)).toBeLessThan(10);
  });
});

test('an odd delay is rounded, or stands for none: then the usual pause is made', async () => {
  const fraction = await shop.add('throw', 'fraction');
  const odd = [await shop.add('throw', 'ages'), await shop.add('throw', 'forever'), await shop.add('throw', 'foreign')];
  expect(await shop.run()).toMatchObject({ code: 0, stderr: '' });
  expect(Math.abs((await pauseOf(fraction)) - 90)).toBeLessThan(10);
  for (const id of odd) {
    expect(await shop.job(id)).toMatchObject({ status: 'pending', attempts: 1 });
    expect(Math.abs((await pauseOf(id)) - 30)).toBeLessThan(16);
  }
  expect((await shop.job(odd[0] ?? 0))['last_error']).toContain('100000d is no delay');
});

describe('the pause before a retry', () => {
  test('comes from the type’s list, whose last entry repeats', async () => {
    const ids = [0, 1, 2, 3].map((attempts) => shop.add('throw.listed', null, { attempts }));
    const [first, second, third, fourth] = await Promise.all(ids);
    await shop.run();
    for (const [id, seconds] of [
      [first, 60],
      [second, 600],
      [third, 600],
    ] as const) {
      expect(Math.abs((await pauseOf(id ?? 0)) - seconds)).toBeLessThan(10);
    }
    expect(await shop.job(fourth ?? 0)).toMatchObject({ status: 'failed', attempts: 4 });
  });

  test('else it is 30 s, tripled each time, give or take a fifth; after eight attempts there is none', async () => {
    const ids: number[] = [];
    for (let attempts = 0; attempts < 8; attempts++) ids.push(await shop.add('throw', 'string', { attempts }));
    await shop.run();
    for (const [index, id] of ids.slice(0, 7).entries()) {
      const pause = await pauseOf(id);
      const middle = Math.min(6 * 3600, 30 * 3 ** index);
      expect(pause).toBeGreaterThanOrEqual(Math.floor(middle * 0.8));
      expect(pause).toBeLessThanOrEqual(middle * 1.2 + 10);
    }
    expect(await shop.job(ids[7] ?? 0)).toMatchObject({ status: 'failed', attempts: 8 });
  });
});

describe('a function that leaves something behind', () => {
  test.each([
    ['exit', 'process.exit(3) was called by the job'],
    ['exit in a timer', 'process.exit(0) was called by the job'],
    ['rejection', 'a rejected promise that nobody awaits: nobody cares'],
    ['exception', 'an exception that nobody catches: out of the blue'],
  ])('%s: fails its own attempt and no other job', async (kind, words) => {
    const stray = await shop.add('stray', kind);
    const innocent = await shop.add('wait', 'go');
    shop.openGate('go');
    expect(await shop.run()).toEqual({ code: 0, signal: null, stdout: '', stderr: '' });
    expect(await shop.job(stray)).toMatchObject({
      status: 'pending',
      attempts: 1,
      crashes: 0,
      last_error: expect.stringContaining(words),
    });
    expect(await shop.job(innocent)).toMatchObject({ status: 'completed', attempts: 1 });
  });

  test('an exception after its end is told, and changes nothing', async () => {
    const id = await shop.add('stray.late');
    const other = await shop.add('brief', 'never');
    const { code, stderr } = await shop.run();
    expect(code).toBe(0);
    expect(stderr).toMatch(new RegExp(`^rowlock: job ${id} \\(stray\\.late, attempt 1\\).*after the end.*\\n$`));
    expect(await shop.job(id)).toMatchObject({ status: 'completed', last_error: null });
    expect(await shop.job(other)).toMatchObject({ status: 'pending', attempts: 1 });
  });
});

test('what cannot be stored as a result is dropped with a warning; the job is completed', async () => {
  const dropped = ['function', 'cycle', 'endless', 'rounded', 'huge', 'symbol', 'deep'];
  const ids: [string, number][] = [];
  for (const kind of dropped) ids.push([kind, await shop.add('return', kind)]);
  const kept = {
    nothing: await shop.add('return', 'nothing'),
    bigint: await shop.add('return', 'bigint'),
    date: await shop.add('return', 'date'),
  };
  const { code, stderr } = await shop.run();
  expect(code).toBe(0);
  expect(stderr.trimEnd().split('\n')).toHaveLength(dropped.length);
  for (const [, id] of ids) {
    expect(stderr).toMatch(
      new RegExp(`^rowlock: job ${id} \\(return, attempt 1\\) completed, but its result is not stored: .{5,}$`, 'm'),
    );
    expect(await shop.job(id)).toMatchObject({ status: 'completed', attempts: 1, result: null });
  }
  expect(await shop.job(kept.nothing)).toMatchObject({ status: 'completed', result: null });
  expect((await shop.job(kept.bigint))['result']).toMatch(/^\{"n": ?9223372036854775808\}$/);
  expect(await shop.job(kept.date)).toMatchObject({ result: '"1970-01-01T00:00:00.000Z"' });
});
