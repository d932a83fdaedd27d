import { until } from './support/until';
import { openWorkshop, type Workshop } from './support/workshop';

let shop: Workshop;

beforeAll(async () => {
  shop = await openWorkshop('stop-jobs.js');
  await shop.db.pool.query('CREATE TABLE effects (id INT AUTO_INCREMENT PRIMARY KEY, n INT)');
  await shop.db.users.allow('worker', 'INSERT', 'effects');
});

beforeEach(async () => {
  await shop.clear();
  await shop.db.pool.query('DELETE FROM effects');
});

const run = async () =>
  (
    await shop.rows(
      'SELECT outcome, claimed, completed, retried, failed, released, slot FROM background_job_runs ORDER BY started_at',
    )
  )[0];

const began = (what: string) => until(() => shop.notes().includes(what), `the notes say: ${what}`);

describe.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('%s', (signal) => {
  test('nothing more is claimed, what has not started goes back, what runs may end', async () => {
    const running = await shop.add('polite', 'go');
    const worker = shop.start(['--concurrency', '1']);
    await began('polite began');
    const later = await shop.add('note', 'not me');
    worker.child.kill(signal);
    await until(async () => (await run())?.['slot'] === null, 'the slot is free for the next tick');
    shop.openGate('go');
    expect(await worker.ended).toEqual({ code: 0, signal: null, stdout: '', stderr: '' });
    expect(await shop.job(running)).toMatchObject({ status: 'completed', attempts: 1, result: '"finished"' });
    expect(await shop.job(later)).toMatchObject({ status: 'pending', attempts: 0, crashes: 0 });
    expect(await run()).toMatchObject({ outcome: 'stopped', completed: 1, retried: 0, failed: 0 });
    expect(shop.notes()).toEqual(['polite began']);
  });

  test('ends a run that waits for jobs', async () => {
    const worker = shop.start(['--keep-alive', '10m', '--poll', '10s']);
    await until(async () => (await run())?.['slot'] === 0, 'the run has a slot');
    worker.child.kill(signal);
    expect(await worker.ended).toEqual({ code: 0, signal: null, stdout: '', stderr: '' });
    expect(await run()).toMatchObject({ outcome: 'stopped', claimed: 0 });
  });
});

test('jobs that were claimed ahead and have not started go back at once', async () => {
  await shop.db.pool.query(
    `INSERT INTO background_jobs (job_type, payload, priority)
     WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 400) SELECT 'note', '"quick"', IF(i <= 300, 0, 2) FROM n`,
  );
  await shop.add('polite', 'go', { priority: 1 });
  const worker = shop.start(['--concurrency', '1']);
  await began('polite began');
  const held = async () =>
    Number((await shop.rows(`SELECT COUNT(*) AS n FROM background_jobs WHERE status = 'running'`))[0]?.['n']);
  await until(async () => (await held()) > 1, 'jobs are claimed ahead');
  worker.child.kill('SIGTERM');
  await until(async () => (await held()) === 1, 'they went back');
  shop.openGate('go');
  expect(await worker.ended).toMatchObject({ code: 0, stderr: '' });
  expect(
    await shop.rows('SELECT status, attempts, COUNT(*) AS n FROM background_jobs GROUP BY 1, 2 ORDER BY 1'),
  ).toEqual([
    { status: 'pending', attempts: 0, n: 100 },
    { status: 'completed', attempts: 1, n: 301 },
  ]);
});

test('after the grace what still runs is aborted and given back, with no attempt charged', async () => {
  const polite = await shop.add('polite', 'never');
  const deaf = await shop.add('deaf');
  const program = await shop.add('program');
  const worker = shop.start(['--grace', '200ms']);
  await began('polite began');
  await began('deaf began');
  worker.child.kill('SIGTERM');
  const { code, stderr } = await worker.ended;
  expect(code).toBe(0);
  expect(stderr).toMatch(new RegExp(`^(rowlock: job ${deaf} \\(deaf, attempt 1\\) still runs .*\\n)?$`));
  for (const id of [polite, deaf, program]) {
    expect(await shop.job(id)).toMatchObject({ status: 'pending', attempts: 0, crashes: 0, last_error: null });
  }
  expect(await run()).toMatchObject({ outcome: 'stopped', claimed: 3, released: 3, failed: 0, retried: 0 });
  expect(await shop.rows('SELECT * FROM background_job_errors')).toEqual([]);
});

test('a job that may begin but once is failed when it is stopped in the middle', async () => {
  const polite = await shop.add('polite', 'never', { max_attempts: 1 });
  const deaf = await shop.add('deaf', null, { max_attempts: 1 });
  const worker = shop.start(['--grace', '100ms']);
  await began('polite began');
  await began('deaf began');
  worker.child.kill('SIGTERM');
  expect((await worker.ended).code).toBe(0);
  for (const id of [polite, deaf]) {
    expect(await shop.job(id)).toMatchObject({
      status: 'failed',
      attempts: 1,
      last_error: expect.stringContaining('stopped by SIGTERM before it ended; may have run'),
    });
  }
});

test('nobody who reads what it tells: its jobs end as they should', async () => {
  const id = await shop.add('polite', 'go on');
  const worker = shop.start([], { LOG_LEVEL: 'debug' });
  await began('polite began');
  worker.child.stdout?.destroy();
  worker.child.stderr?.destroy();
  await shop.add('note', 'another');
  await began('another');
  shop.openGate('go on');
  expect(await worker.ended).toMatchObject({ code: 0, signal: null });
  expect(await shop.job(id)).toMatchObject({ status: 'completed', attempts: 1 });
  expect(await run()).toMatchObject({ outcome: 'finished', completed: 2 });
});

test.each([
  ['SIGTERM', 143],
  ['SIGINT', 130],
] as const)('a second %s ends the process now', async (signal, code) => {
  const id = await shop.add('deaf');
  const worker = shop.start();
  await began('deaf began');
  worker.child.kill(signal);
  await until(async () => (await run())?.['slot'] === null, 'the first is heard');
  worker.child.kill(signal);
  expect(await worker.ended).toMatchObject({ code, signal: null });
  expect(await shop.job(id)).toMatchObject({ status: 'running' });
});

describe('ctx.save in a run that claims nothing more', () => {
  test.each([
    ['SIGTERM', [], 'stopped'],
    ['--max-time', ['--max-time', '3s'], 'finished'],
  ])('%s: it stores, throws, and the next run goes on from there', async (why, args, outcome) => {
    const id = await shop.add('steps');
    const worker = shop.start(args);
    await began('step 1');
    if (why === 'SIGTERM') worker.child.kill('SIGTERM');
    await until(async () => (await run())?.['slot'] === null, 'it claims nothing more');
    shop.openGate('go');
    expect(await worker.ended).toEqual({ code: 0, signal: null, stdout: '', stderr: '' });
    expect(await run()).toMatchObject({ outcome, claimed: 1, released: 1 });
    expect(await shop.job(id)).toMatchObject({
      status: 'pending',
      attempts: 0,
      checkpoint: expect.stringMatching(/^\{"next": ?2\}$/),
    });

    await shop.run();
    expect(await shop.job(id)).toMatchObject({ status: 'completed', attempts: 1, result: '"all"' });
    expect(shop.notes()).toEqual(['step 0', 'step 1', 'step 2', 'step 3']);
    expect(await shop.rows('SELECT n FROM effects ORDER BY id')).toEqual([{ n: 0 }, { n: 1 }, { n: 2 }, { n: 3 }]);
  });
});
