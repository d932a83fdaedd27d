import type { ResultSetHeader } from 'mysql2/promise';
import { until } from './support/until';
import { openWorkshop, type Workshop } from './support/workshop';

let shop: Workshop;

beforeAll(async () => {
  shop = await openWorkshop('run-jobs.js');
});

beforeEach(() => shop.clear());

const resultOf = async (id: number): Promise<unknown> => JSON.parse(String((await shop.job(id))['result']));

/** Inserts a payload as text, which JavaScript would round. */
async function addText(type: string, payload: string): Promise<number> {
  const id = await shop.add(type);
  await shop.db.pool.query('UPDATE background_jobs SET payload = ? WHERE id = ?', [payload, id]);
  return id;
}

describe('odd rows', () => {
  test('NULL payload, long and 4-byte names, run_at in 1971, max_attempts 0: they run', async () => {
    const ids = {
      none: await shop.add('echo'),
      long: await shop.add('t'.repeat(255)),
      emoji: await shop.add('📧.send', { text: '𝒳 😀 \u0000 "\\' }, { queue: '📮', unique_key: '🔑' }),
      longQueue: await shop.add('echo', 1, { queue: '😀'.repeat(255) }),
      spaces: await shop.add('echo  ', 1),
      ancient: await shop.add('echo', 1, { run_at: '1971-01-01 00:00:00' }),
      none0: await shop.add('echo', 1, { max_attempts: 0 }),
    };
    expect(await shop.run()).toMatchObject({ code: 0, stderr: '' });
    for (const id of Object.values(ids)) expect(await shop.job(id)).toMatchObject({ status: 'completed', attempts: 1 });
    expect(await resultOf(ids.none)).toBeNull();
    expect(await resultOf(ids.emoji)).toEqual({ text: '𝒳 😀 \u0000 "\\' });
    expect(await shop.job(ids.emoji)).toMatchObject({ queue: '📮', unique_key: '🔑' });
  });

  test('a run_at in 2037 waits', async () => {
    const id = await shop.add('echo', 1, { run_at: '2037-12-31 00:00:00' });
    await shop.run();
    expect(await shop.job(id)).toMatchObject({ status: 'pending', attempts: 0, run_id: null });
  });

  test('max_attempts 0 counts as 1', async () => {
    const id = await shop.add('fail', 'no luck', { max_attempts: 0 });
    await shop.run();
    expect(await shop.job(id)).toMatchObject({ status: 'failed', attempts: 1, last_error: 'no luck' });
  });

  test('numbers beyond 2^53 arrive exactly, in functions and in programs', async () => {
    const big = await addText('number', '{"n": 9007199254740993}');
    const bigger = await addText('number', '{"n": 18446744073709551615}');
    const below = await addText('number', '{"n": -9223372036854775808}');
    const safe = await addText('number', '{"n": 9007199254740991}');
    const piped = await addText('cat', '{"a": [18446744073709551615, 9007199254740993, 1.5]}');
    await shop.run();
    expect((await shop.job(big))['result']).toMatch(/"n": ?9007199254740993[,}]/);
    expect(JSON.parse(String((await shop.job(bigger))['result']))).toMatchObject({
      is: 'bigint',
      text: '18446744073709551615',
    });
    expect(JSON.parse(String((await shop.job(below))['result']))).toMatchObject({
      is: 'bigint',
      text: '-9223372036854775808',
    });
    expect(await resultOf(safe)).toEqual({ is: 'number', text: '9007199254740991', n: 9007199254740991 });
    expect((await shop.job(piped))['result']).toMatch(/^\{"a": ?\[18446744073709551615, ?9007199254740993, ?1\.5\]\}$/);
  });
});

describe('a type that this worker does not know', () => {
  /** As if its newest pause had just gone by. */
  const passPause = (id: number) =>
    shop.db.pool.query(
      `UPDATE background_jobs SET started_at = started_at - INTERVAL pause SECOND, run_at = run_at - INTERVAL pause SECOND`.replaceAll(
        'pause',
        '(SELECT p.s FROM (SELECT TIMESTAMPDIFF(MICROSECOND, started_at, run_at) / 1000000 AS s FROM background_jobs WHERE id = ?) AS p)',
      ),
      [id, id],
    );

  const pauseOf = async (id: number): Promise<number> => {
    const [row] = await shop.rows(
      'SELECT ROUND(TIMESTAMPDIFF(MICROSECOND, started_at, run_at) / 60000000) AS minutes FROM background_jobs WHERE id = ?',
      [id],
    );
    return Number(row?.['minutes']);
  };

  test('is put back for a minute doubling to an hour, with no attempt charged, and never failed', async () => {
    const id = await shop.add('not.deployed.yet', null, { max_attempts: 1 });
    const pauses: number[] = [];
    for (let i = 0; i < 8; i++) {
      expect(await shop.run()).toMatchObject({ code: 0, stderr: '' });
      pauses.push(await pauseOf(id));
      await passPause(id);
    }
    expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
    expect(await shop.job(id)).toMatchObject({ status: 'pending', attempts: 0, crashes: 0, last_error: null });
  });

  test('an empty type, too; the summary of the run names them', async () => {
    const id = await shop.add('');
    await shop.add('not.deployed.yet');
    const { stderr } = await shop.run([], { LOG_LEVEL: 'info' });
    const last = JSON.parse(stderr.trimEnd().split('\n').at(-1) ?? '') as Record<string, unknown>;
    expect(last).toMatchObject({
      event: 'run.finished',
      released: 2,
      unknown_types: expect.arrayContaining(['', 'not.deployed.yet']),
    });
    expect(String(last['message'])).toContain('not.deployed.yet');
    expect(await shop.job(id)).toMatchObject({ status: 'pending', attempts: 0 });
  });
});

test('a payload that the schema refuses is failed at once, naming each field and none of the values', async () => {
  const id = await shop.add('strict', { to: 's3cret', count: -77777, tags: ['fine', 12345] });
  const missing = await shop.add('strict');
  const { stderr } = await shop.run([], { LOG_LEVEL: 'debug' });
  const { status, attempts, last_error } = await shop.job(id);
  expect({ status, attempts }).toEqual({ status: 'failed', attempts: 1 });
  for (const field of ['to', 'count', 'tags.1']) expect(last_error).toContain(`${field}: `);
  for (const value of ['s3cret', '77777', '12345']) expect(`${last_error}${stderr}`).not.toContain(value);
  expect(await shop.job(missing)).toMatchObject({ status: 'failed' });
  expect(shop.notes()).toEqual([]);
});

describe('a unique key', () => {
  test('is kept, or freed when the job ends, as its type says', async () => {
    const kept = await shop.add('once.kept', null, { unique_key: 'k' });
    const active = await shop.add('once.active', null, { unique_key: 'k' });
    const retried = await shop.add('once.active.fail', null, { unique_key: 'retried' });
    const failed = await shop.add('once.active.fail', null, { unique_key: 'failed', max_attempts: 1 });
    await shop.run();
    expect(await shop.job(kept)).toMatchObject({ status: 'completed', unique_key: 'k' });
    expect(await shop.job(active)).toMatchObject({ status: 'completed', unique_key: null });
    expect(await shop.job(retried)).toMatchObject({ status: 'pending', unique_key: 'retried' });
    expect(await shop.job(failed)).toMatchObject({ status: 'failed', unique_key: null });
    await expect(shop.add('once.kept', null, { unique_key: 'k' })).rejects.toMatchObject({ errno: 1062 });
    await expect(shop.add('once.active.fail', null, { unique_key: 'retried' })).rejects.toMatchObject({ errno: 1062 });
    await shop.add('once.active', null, { unique_key: 'k' });
  });

  test('is freed as well when a cancelled job ends with an error', async () => {
    const id = await shop.add('once.active.gated', null, { unique_key: 'k' });
    const run = shop.start();
    await until(() => shop.notes().length > 0, 'the job runs');
    await shop.rowlock(['cancel', String(id)]);
    shop.openGate('fail');
    await run.ended;
    expect(await shop.job(id)).toMatchObject({ status: 'failed', unique_key: null, last_error: 'cancelled' });
  });
});

describe('a zero date as run_at, as an app without strict mode writes what is no time', () => {
  /** As PHP did for years. */
  async function addZero(type: string, payload?: unknown): Promise<number> {
    const lenient = await shop.db.producer.getConnection();
    try {
      await lenient.query(`SET sql_mode = ''`);
      const [{ insertId }] = await lenient.query<ResultSetHeader>(
        `INSERT INTO background_jobs (job_type, payload, run_at) VALUES (?, ?, 'tomorrow')`,
        [type, JSON.stringify(payload ?? null)],
      );
      return insertId;
    } finally {
      lenient.destroy();
    }
  }

  test.each([[[]], [['--type', 'echo', '--type', 'fail', '--type', 'note']]])(
    'is due at once: run %j',
    async (args) => {
      const plain = await addZero('note', 'ran');
      const result = await addZero('echo', { n: 1 });
      const fails = await addZero('fail', 'no luck');
      const later = await shop.add('note', 'ran, too');
      const unknown = await addZero('nobody.knows');
      expect(await shop.run(args)).toMatchObject({ code: 0, stderr: '' });
      for (const id of [plain, result, later]) expect(await shop.job(id)).toMatchObject({ status: 'completed' });
      expect(await shop.job(fails)).toMatchObject({ status: 'pending', attempts: 1, last_error: 'no luck' });
      expect(await shop.job(unknown)).toMatchObject({ status: 'pending', attempts: 0 });
    },
  );

  test('is no trouble for whoever looks', async () => {
    const id = await addZero('echo');
    await shop.rowlock(['pause', 'default']);
    for (const args of [
      ['list'],
      ['list', '--json'],
      ['show', `${id}`],
      ['show', `${id}`, '--json'],
      ['status'],
      ['metrics'],
    ])
      expect(await shop.rowlock(args)).toMatchObject({ code: 0, stderr: '' });
    expect(await shop.rowlock(['retry', `${id}`])).toMatchObject({ stderr: expect.stringContaining('no time') });
  });
});

describe('a queue whose name ends in spaces, which the server does not see', () => {
  test('is paused with the others of its name', async () => {
    const padded = await shop.add('note', 'ran', { queue: 'mail ' });
    const other = await shop.add('note', 'ran', { queue: 'mail' });
    await shop.rowlock(['pause', 'mail']);
    expect(await shop.run()).toMatchObject({ code: 0, stderr: '' });
    for (const id of [padded, other]) expect(await shop.job(id)).toMatchObject({ status: 'pending', attempts: 0 });
    const { stdout } = await shop.rowlock(['status', '--json']);
    expect(JSON.parse(stdout).queues).toMatchObject([{ queue: 'mail', due: 2, paused_at: expect.any(String) }]);
    await shop.rowlock(['resume', 'mail  ']);
    await shop.run();
    expect(shop.notes()).toEqual(['ran', 'ran']);
  });

  test('is served by --queue', async () => {
    await shop.add('note', 'ran', { queue: 'mail ' });
    await shop.add('note', 'ran', { queue: 'mail' });
    await shop.run(['--queue', 'mail']);
    expect(shop.notes()).toEqual(['ran', 'ran']);
  });
});

test('a queue is served whatever its name, also one that sorts before the empty one', async () => {
  const queues = ['', '\t', '\tmail', '\n', "'; DROP", '📬', 'Z', 'a'.repeat(255)];
  const ids = [];
  for (const queue of queues) ids.push(await shop.add('echo', null, { queue }));
  expect(await shop.run()).toMatchObject({ code: 0, stderr: '' });
  for (const id of ids) expect(await shop.job(id)).toMatchObject({ status: 'completed', attempts: 1 });
  const { stdout } = await shop.rowlock(['status', '--json']);
  const told = (JSON.parse(stdout).queues as { queue: string }[]).map(({ queue }) => queue);
  expect(told.sort()).toEqual(queues.sort());
});
