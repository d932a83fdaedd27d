import { LeaseLostError } from '../src/errors';
import { rescueJobs } from '../src/queue/rescue';
import { closeRun } from '../src/queue/runs';
import { settleJobs } from '../src/queue/settle';
import { openQueueBench, outcomeOf, type QueueBench, RELEASE, RETRY } from './support/queue';
import { type Sessions, watchSessions } from './support/sessions';
import { dumpRows } from './support/tables';

let bench: QueueBench;
let sessions: Sessions;

beforeAll(async () => {
  bench = await openQueueBench();
  sessions = await watchSessions(bench.db);
});

beforeEach(async () => {
  await bench.clear();
  await bench.open(1);
  await bench.open(2);
});

/** Each is written by a statement of its own. */
const COMPLETIONS = [
  ['no result', {}],
  ['a result', { result: '{"sent":1}' }],
] as const;

const FREES_NONE = () => false;

async function claimOne(runId: number) {
  const [job] = await bench.claim(runId);
  if (job === undefined) throw new Error(`run ${runId} found no job to claim`);
  return job;
}

const settle = (runId: number, ...settlements: Parameters<typeof settleJobs>[2]) =>
  settleJobs(bench.pool, runId, settlements);

const dump = () => dumpRows(bench.db.pool);

test.each(COMPLETIONS)(
  `an attempt that was taken away, with %s, changes nothing: its settle is lost, and says what became of
the job`,
  async (_what, shape) => {
    const id = await bench.add();
    const mine = await claimOne(1);
    await closeRun(bench.pool, 1, 'lost');
    await rescueJobs(bench.pool, FREES_NONE);
    const theirs = await claimOne(2);
    expect(theirs).toMatchObject({ id, attempts: mine.attempts });
    const before = await dump();
    const [settled] = await settle(1, outcomeOf(mine, shape));
    expect(settled).toMatchObject({ how: 'lost', why: expect.stringContaining('running, attempt 1, run 2') });
    expect(await dump()).toEqual(before);
    expect(await settle(2, outcomeOf(theirs, shape))).toMatchObject([{ how: 'written' }]);
  },
);

test.each(COMPLETIONS)(
  'a run that holds the same job a second time does not settle it by its first attempt, with %s',
  async (_what, shape) => {
    await bench.add();
    const first = await claimOne(1);
    await settle(1, outcomeOf(first, RETRY));
    const second = await claimOne(1);
    expect(second.attempts).toBe(2);
    const before = await dump();
    expect(await settle(1, outcomeOf(first, shape))).toMatchObject([{ how: 'lost' }]);
    expect(await settle(1, outcomeOf(first, RELEASE))).toMatchObject([{ how: 'lost' }]);
    expect(await dump()).toEqual(before);
    expect(await settle(1, outcomeOf(second, shape))).toMatchObject([{ how: 'written' }]);
  },
);

test('a job that has completed itself by the time it is given back is told as completed, and nothing is written', async () => {
  await bench.add();
  const job = await claimOne(1);
  await settle(1, outcomeOf(job, {}));
  const before = await dump();
  expect(await settle(1, outcomeOf(job, RELEASE))).toMatchObject([{ how: 'completed' }]);
  expect(await dump()).toEqual(before);
});

test.each([
  [undefined, undefined],
  ['1', '2'],
  [undefined, '2'],
])(
  'one that was taken away does not hold up the others of its batch, with the results %s and %s',
  async (...results) => {
    const ids = [await bench.add(), await bench.add(), await bench.add()];
    const jobs = await bench.claim(1);
    await bench.db.pool.query('DELETE FROM background_jobs WHERE id = ?', [ids[1]]);
    const outcomes = jobs.map((job, index) => outcomeOf(job, { result: results[index] ?? null }));
    const settled = await settle(1, ...outcomes);
    const how = Object.fromEntries(settled.map(({ how, settlement }) => [settlement.id, how]));
    expect(how).toEqual({ [ids[0] ?? 0]: 'written', [ids[1] ?? 0]: 'lost', [ids[2] ?? 0]: 'written' });
    expect(await bench.run(1)).toMatchObject({ claimed: 3, completed: 2 });
  },
);

test('an outcome that is there already, as its answer was lost, stands and is not counted twice', async () => {
  await bench.add();
  await bench.add();
  const jobs = await bench.claim(1);
  for (const shape of [{}, { result: '1' }, { ...RETRY, delayMs: 60_000 }, RELEASE]) {
    await bench.db.pool.query(`UPDATE background_jobs SET status = 'running', attempts = 1`);
    await settle(1, ...jobs.map((job) => outcomeOf(job, shape)));
    const before = await dump();
    expect(await settle(1, ...jobs.map((job) => outcomeOf(job, shape)))).toMatchObject([
      { how: 'written' },
      { how: 'written' },
    ]);
    expect(await dump()).toEqual(before);
  }
});

test.each([
  ['completed', {}],
  ['completed, with a result', { result: '1' }],
  ['put back', RETRY],
])('a run that was closed writes nothing more: its job is not %s', async (_what, shape) => {
  await bench.add();
  const job = await claimOne(1);
  await closeRun(bench.pool, 1, 'lost');
  const before = await dump();
  await expect(settle(1, outcomeOf(job, shape))).rejects.toBeInstanceOf(LeaseLostError);
  expect(await dump()).toEqual(before);
});

test('a claim of a run that is closed in the middle of it is undone', async () => {
  const id = await bench.add();
  const before = await bench.job(id);
  const closer = await sessions.hold('UPDATE background_job_runs SET finished_at = NOW(3) WHERE id = 1');
  const claiming = bench.claim(1).catch((error: unknown) => error);
  await sessions.waitFor('SET claimed = claimed');
  await closer.commit();
  expect(await claiming).toBeInstanceOf(LeaseLostError);
  expect(await bench.job(id)).toEqual(before);
  expect(await bench.run(1)).toMatchObject({ claimed: 0 });
});

describe('a rescue and a late settle', () => {
  test('settle first: the rescue finds nothing', async () => {
    const id = await bench.add();
    await settle(1, outcomeOf(await claimOne(1)));
    await closeRun(bench.pool, 1, 'lost');
    expect(await rescueJobs(bench.pool, FREES_NONE)).toBe(0);
    expect(await bench.job(id)).toMatchObject({ status: 'completed', attempts: 1, crashes: 0 });
  });

  test.each(COMPLETIONS)('rescue first: the settle is lost, with %s', async (_what, shape) => {
    const id = await bench.add();
    const job = await claimOne(1);
    await closeRun(bench.pool, 1, 'lost');
    expect(await rescueJobs(bench.pool, FREES_NONE)).toBe(1);
    expect(await settle(1, outcomeOf(job, shape))).toMatchObject([{ how: 'lost' }]);
    expect(await bench.job(id)).toMatchObject({ status: 'pending', attempts: 0, crashes: 1 });
    expect(await bench.run(1)).toMatchObject({ completed: 0 });
  });

  test('both at once, many times: each job either ended or went back, and the ledger says the same', async () => {
    for (let round = 10; round < 30; round++) {
      await bench.open(round);
      for (let i = 0; i < 5; i++) await bench.add();
      const jobs = await bench.claim(round);
      const settling = settle(round, ...jobs.map((job) => outcomeOf(job))).catch((error: unknown) => error);
      await bench.db.pool.query('UPDATE background_job_runs SET lease_expires_at = ? WHERE id = ?', [
        '2020-01-01',
        round,
      ]);
      let rescued = await rescueJobs(bench.pool, FREES_NONE);
      const settled = await settling;
      // The settle still held the rows when the rescuer looked, and was then refused: the next rescue has them.
      rescued += await rescueJobs(bench.pool, FREES_NONE);
      const { completed } = await bench.run(round);
      expect({ rescued, completed }).toEqual(rescued > 0 ? { rescued: 5, completed: 0 } : { rescued: 0, completed: 5 });
      if (rescued === 0) expect(settled).toMatchObject(Array(5).fill({ how: 'written' }));
      await bench.db.pool.query(`UPDATE background_jobs SET status = 'completed'`);
    }
  });
});

test('a job that was cancelled while it ran never goes back to pending', async () => {
  for (const shape of [RETRY, RELEASE, { ...RETRY, charged: false, crashed: true }]) {
    const id = await bench.add();
    const job = await claimOne(1);
    await bench.db.pool.query('UPDATE background_jobs SET cancelled_at = NOW(3) WHERE id = ?', [id]);
    expect(await settle(1, outcomeOf(job, shape))).toMatchObject([
      { how: 'written', settlement: { status: 'failed' } },
    ]);
    expect(await bench.job(id)).toMatchObject({
      status: 'failed',
      attempts: 1,
      last_error: 'cancelled',
      processed_at: expect.any(Date),
    });
  }
  expect(await bench.run(1)).toMatchObject({ claimed: 3, failed: 3, retried: 0, released: 0 });
});

test('jobs of several attempts, with results and without, are settled together', async () => {
  for (let i = 0; i < 4; i++) await bench.add({ attempts: i % 2 });
  await bench.db.pool.query(`UPDATE background_jobs SET result = '"old"'`);
  const jobs = await bench.claim(1);
  const outcomes = jobs.map((job, index) => outcomeOf(job, index > 1 ? { result: `${index}` } : {}));
  expect(await settle(1, ...outcomes)).toMatchObject(Array(4).fill({ how: 'written' }));
  const rows = await Promise.all(jobs.map(({ id }) => bench.job(Number(id))));
  expect(rows.map(({ status, attempts, result }) => [status, attempts, result && Number(result)])).toEqual([
    ['completed', 1, null],
    ['completed', 2, null],
    ['completed', 1, 2],
    ['completed', 2, 3],
  ]);
  expect(rows.every(({ processed_at }) => processed_at !== null)).toBe(true);
  expect(await bench.run(1)).toMatchObject({ claimed: 4, completed: 4 });
});
