import { readClock } from './support/rows';
import { openWorkshop, type Workshop } from './support/workshop';

let shop: Workshop;

beforeAll(async () => {
  shop = await openWorkshop('context-jobs.js');
  await shop.db.pool.query('CREATE TABLE effects (id INT AUTO_INCREMENT PRIMARY KEY, n INT)');
  await shop.db.users.allow('worker', 'INSERT', 'effects');
});

beforeEach(async () => {
  await shop.clear();
  await shop.db.pool.query('DELETE FROM effects');
});

const effects = async () => (await shop.rows('SELECT n FROM effects ORDER BY id')).map(({ n }) => n);
const resultOf = async (id: number) => JSON.parse(String((await shop.job(id))['result']));

test('ctx.job tells of the job; without a save the checkpoint is null', async () => {
  const before = await readClock(shop.db);
  const id = await shop.add('facts', null, { queue: 'mail', max_attempts: 3 });
  const after = await readClock(shop.db);
  const usual = await shop.add('facts');
  await shop.run();
  const job = { id, type: 'facts', queue: 'mail', attempt: 1, maxAttempts: 3 };
  const { job: told, ...others } = await resultOf(id);
  expect(others).toEqual({ checkpoint: null, aborted: false });
  expect(told).toMatchObject(job);
  expect(Date.parse(told.createdAt)).toBeGreaterThanOrEqual(before);
  expect(Date.parse(told.createdAt)).toBeLessThanOrEqual(after);
  expect(await resultOf(usual)).toMatchObject({ job: { queue: 'default', maxAttempts: 8 } });
});

test('ctx.log is told at its level', async () => {
  const id = await shop.add('logs');
  expect(await shop.run()).toMatchObject({ stderr: `rowlock: job ${id} (logs, attempt 1): careful\n` });
  await shop.add('logs');
  const { stderr } = await shop.run([], { LOG_LEVEL: 'info' });
  const events = stderr
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const logged = events.filter(({ event }) => event === 'job.log');
  expect(logged).toMatchObject([
    { level: 'info', message: expect.stringContaining('fine'), fields: { rows: 3 }, job_type: 'logs' },
    { level: 'warn', message: expect.stringContaining('careful') },
  ]);
});

test('ctx.progress writes at most once a second, and takes fractions only', async () => {
  const id = await shop.add('progress');
  await shop.run();
  expect(await shop.job(id)).toMatchObject({ status: 'completed', progress: 0.25 });
  expect(shop.notes()).toEqual(['RangeError']);
});

describe('ctx.save', () => {
  test('is what ctx.checkpoint says, in this attempt and the next; large integers are exact', async () => {
    const id = await shop.add('remember');
    await shop.run(['--keep-alive', '1s', '--poll', '20ms', '--max-jobs', '2']);
    expect(shop.notes()).toEqual(['at first null', 'then bigint 9007199254740993']);
    expect(await shop.job(id)).toMatchObject({ status: 'completed', attempts: 2 });
    expect((await shop.job(id))['result']).toMatch(/^\{"kept": ?\{"n": ?9007199254740993\}\}$/);
  });

  test('stores what a function makes of that which was written', async () => {
    const id = await shop.add('save.counts');
    await shop.run();
    expect(await effects()).toEqual([1, 2]);
    expect(JSON.parse(String((await shop.job(id))['checkpoint']))).toEqual({ rows: 2 });
    expect(await resultOf(id)).toEqual({ rows: 2 });
  });

  test('stores the checkpoint and the writes together, or neither', async () => {
    const id = await shop.add('save.throws');
    await shop.run();
    expect(await effects()).toEqual([1]);
    expect(await shop.job(id)).toMatchObject({
      status: 'pending',
      attempts: 1,
      last_error: 'not today',
      checkpoint: '"first"',
    });
  });

  test('called again before the first has ended, loses nothing', async () => {
    const id = await shop.add('save.together');
    await shop.run();
    expect(await effects()).toEqual([1, 2, 3]);
    expect(await shop.job(id)).toMatchObject({ status: 'completed', checkpoint: '3', result: '3' });
  });
});

describe('ctx.complete', () => {
  test('commits the writes and the completion together', async () => {
    const id = await shop.add('complete');
    expect(await shop.run()).toMatchObject({ code: 0, stderr: '' });
    expect(await effects()).toEqual([1]);
    expect(await shop.job(id)).toMatchObject({ status: 'completed', attempts: 1 });
    expect(await resultOf(id)).toEqual({ done: true });
    expect(await shop.rows('SELECT completed FROM background_job_runs')).toEqual([{ completed: 1 }]);
  });

  test('completes without a result that cannot be stored', async () => {
    const ids = [
      await shop.add('complete.odd'),
      await shop.add('complete.deep', 60),
      await shop.add('complete.deep', 150),
    ];
    const { code, stderr } = await shop.run(['--concurrency', '1']);
    expect(code).toBe(0);
    expect(await effects()).toEqual([1, 60, 150]);
    for (const id of ids) expect(await shop.job(id)).toMatchObject({ status: 'completed', attempts: 1 });
    for (const id of [ids[0], ids[2]]) {
      expect(stderr).toMatch(new RegExp(`^rowlock: job ${id} .* completed, but its result is not stored: .+$`, 'm'));
      expect((await shop.job(id ?? 0))['result']).toBeNull();
    }
  });

  test('leaves nothing when the write throws, and the job is retried', async () => {
    const id = await shop.add('complete.throws');
    await shop.run();
    expect(await effects()).toEqual([]);
    expect(await shop.job(id)).toMatchObject({ status: 'pending', attempts: 1, last_error: 'not today' });
  });

  test('waits for statements that the function did not wait for, and takes none after its end', async () => {
    const id = await shop.add('complete.hasty');
    await shop.add('steps');
    shop.openGate('go');
    await shop.run(['--keep-alive', '300ms']);
    expect(await shop.job(id)).toMatchObject({ status: 'completed' });
    expect(shop.notes()).toContain('RefusedStatementError');
    expect((await effects()).filter((n) => n === 1)).toHaveLength(2);
  });
});

describe('ctx.enqueue', () => {
  test('inserts at once, or with the transaction that it is given', async () => {
    const id = await shop.add('enqueue', { fails: false });
    await shop.run(['--max-jobs', '1']);
    const jobs = await shop.rows(
      `SELECT id, job_type, payload, queue, priority, unique_key, run_at > NOW() + INTERVAL 59 MINUTE AS later
       FROM background_jobs WHERE id <> ? ORDER BY id`,
      [id],
    );
    expect(jobs).toMatchObject([
      { job_type: 'echo', queue: 'default', priority: 0, later: 0 },
      { job_type: 'mail', payload: null, queue: 'mail', priority: 7, later: 1 },
      { job_type: 'echo', payload: '"within"', unique_key: 'k', later: 1 },
    ]);
    expect(jobs[0]?.['payload']).toMatch(/^\{"n": ?9007199254740993\}$/);
    expect(await resultOf(id)).toEqual(jobs.slice(0, 2).map((job) => job['id']));
  });

  test('inserts nothing when that transaction is undone', async () => {
    await shop.add('enqueue', { fails: true });
    await shop.run(['--max-jobs', '1']);
    expect(await shop.rows(`SELECT id FROM background_jobs WHERE unique_key = 'k'`)).toEqual([]);
    expect(await shop.rows(`SELECT id FROM background_jobs WHERE job_type IN ('echo', 'mail')`)).toHaveLength(2);
  });
});
