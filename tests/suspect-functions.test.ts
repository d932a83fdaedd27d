import { until } from './support/until';
import { openWorkshop, type Workshop } from './support/workshop';

// A suspect runs in a process of its own: its function must not notice.

let withContext: Workshop;
let withFunctions: Workshop;

beforeAll(async () => {
  withContext = await openWorkshop('context-jobs.js');
  withFunctions = await openWorkshop('function-jobs.js');
  await withContext.db.pool.query('CREATE TABLE effects (id INT AUTO_INCREMENT PRIMARY KEY, n INT)');
  await withContext.db.users.allow('worker', 'INSERT', 'effects');
});

beforeEach(() => Promise.all([withContext.clear(), withFunctions.clear()]));

const SUSPECT = { crashes: 1 };

test('all of ctx is there: save, complete, enqueue, progress, log', async () => {
  const shop = withContext;
  const complete = await shop.add('complete', null, SUSPECT);
  const enqueue = await shop.add('enqueue', { fails: false }, SUSPECT);
  const progress = await shop.add('progress', null, SUSPECT);
  const logs = await shop.add('logs', null, SUSPECT);
  const facts = await shop.add('facts', { n: 1 }, { ...SUSPECT, checkpoint: '{"n": 9007199254740993}' });
  expect(await shop.run(['--max-jobs', '5'])).toMatchObject({
    code: 0,
    stderr: `rowlock: job ${logs} (logs, attempt 1): careful\n`,
  });
  for (const id of [complete, enqueue, progress, logs, facts])
    expect(await shop.job(id)).toMatchObject({ status: 'completed', attempts: 1 });
  expect(await shop.rows('SELECT n FROM effects')).toEqual([{ n: 1 }]);
  expect(await shop.rows(`SELECT job_type FROM background_jobs WHERE unique_key = 'k'`)).toHaveLength(1);
  expect((await shop.job(facts))['result']).toMatch(/"n": ?9007199254740993\b/);
});

test('errors, refused payloads and results end as they do elsewhere; the process is used again', async () => {
  const shop = withFunctions;
  const thrown = await shop.add('throw', 'string', SUSPECT);
  const final = await shop.add('throw', 'final', SUSPECT);
  const stray = await shop.add('stray', 'exit', SUSPECT);
  const rejection = await shop.add('stray', 'rejection', SUSPECT);
  const dropped = await shop.add('return', 'cycle', SUSPECT);
  const brief = await shop.add('brief', 'never', SUSPECT);
  const { code, stderr } = await shop.run(['--concurrency', '1']);
  expect(code).toBe(0);
  expect(await shop.job(thrown)).toMatchObject({
    status: 'pending',
    attempts: 1,
    crashes: 1,
    last_error: 'just words',
  });
  expect(await shop.job(final)).toMatchObject({ status: 'failed', attempts: 1 });
  expect(await shop.job(stray)).toMatchObject({
    status: 'pending',
    attempts: 1,
    crashes: 1,
    last_error: expect.stringContaining('process.exit(3)'),
  });
  expect(await shop.job(rejection)).toMatchObject({
    status: 'pending',
    attempts: 1,
    crashes: 1,
    last_error: expect.stringContaining('nobody cares'),
  });
  expect(await shop.job(dropped)).toMatchObject({ status: 'completed', result: null });
  expect(await shop.job(brief)).toMatchObject({ status: 'pending', attempts: 1, last_error: 'timed out after 150 ms' });
  expect(stderr).toMatch(/its result is not stored: .*\n.*1 job failed for good/);
});

test('a function that ignores its timeout ends with its process; the run goes on', async () => {
  const shop = withFunctions;
  const deaf = await shop.add('deaf', 'never', SUSPECT);
  expect(await shop.run(['--grace', '100ms'])).toMatchObject({ code: 0 });
  expect(await shop.job(deaf)).toMatchObject({
    status: 'pending',
    attempts: 1,
    crashes: 1,
    last_error: expect.stringContaining('timed out'),
  });
});

test('a cancelled suspect is aborted', async () => {
  const shop = withFunctions;
  const id = await shop.add('wait', 'never', SUSPECT);
  const worker = shop.start(['--lease', '1s']);
  await until(() => shop.notes().includes('never began'), 'it runs');
  await shop.rowlock(['cancel', String(id)]);
  expect(await worker.ended).toMatchObject({ code: 0, stderr: '' });
  expect(shop.notes()).toEqual(['never began', 'never aborted: cancelled']);
  expect(await shop.job(id)).toMatchObject({ status: 'failed', last_error: 'cancelled' });
});

test.each([
  ['SIGTERM', []],
  ['--max-time', ['--max-time', '3s']],
])('%s: its save stores, throws, and the job is handed on', async (why, args) => {
  const shop = withContext;
  const id = await shop.add('steps', null, SUSPECT);
  const worker = shop.start(args);
  if (why === 'SIGTERM') {
    await until(() => shop.notes().includes('step 1'), 'it is at step 1');
    worker.child.kill('SIGTERM');
  }
  const slot = async () => (await shop.rows('SELECT slot FROM background_job_runs WHERE claimed > 0'))[0]?.['slot'];
  await until(async () => (await slot()) === null, 'the slot is free');
  shop.openGate('go');
  expect(await worker.ended).toMatchObject({ code: 0, stderr: '' });
  expect(await shop.job(id)).toMatchObject({
    status: 'pending',
    attempts: 0,
    checkpoint: expect.stringMatching(/"next": ?[12]/),
  });
});
