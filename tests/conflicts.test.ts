import type { RowDataPacket } from 'mysql2/promise';
import { rescueJobs } from '../src/queue/rescue';
import { closeRun } from '../src/queue/runs';
import { settleJobs } from '../src/queue/settle';
import { Claimer } from '../src/worker/claimer';
import { openQueueBench, outcomeOf, type QueueBench } from './support/queue';
import { type Sessions, watchSessions } from './support/sessions';
import { until } from './support/until';

let bench: QueueBench;
let sessions: Sessions;

beforeAll(async () => {
  bench = await openQueueBench(8);
  // A third of what a run waits for a lock.
  bench.pool.pool.on('connection', (connection) => connection.query('SET SESSION innodb_lock_wait_timeout = 1'));
  sessions = await watchSessions(bench.db);
});

beforeEach(async () => {
  await bench.clear();
  for (const runId of [1, 2]) await bench.open(runId);
});

async function addMany(jobs: number): Promise<number[]> {
  const ids: number[] = [];
  for (let i = 0; i < jobs; i++) ids.push(await bench.add());
  return ids;
}

async function tally() {
  const [rows] = await bench.db.pool.query<RowDataPacket[]>(
    'SELECT status, attempts, crashes, COUNT(*) AS n FROM background_jobs GROUP BY 1, 2, 3 ORDER BY 1',
  );
  return rows;
}

describe('settling', () => {
  test.each([
    ['no results', {}, 'result = NULL'],
    ['results', { result: '1' }, 'JSON_TABLE'],
  ])(
    `a deadlock in the middle of a batch with %s: the whole is done again, and each outcome stands once`,
    async (_what, shape, statement) => {
      const [first, , last] = await addMany(3);
      const jobs = await bench.claim(1);
      // The lighter of two transactions is the deadlock's victim: this one is not.
      await bench.db.pool.query('CREATE TABLE IF NOT EXISTS ballast (n INT)');
      const rival = await bench.db.pool.getConnection();
      await rival.query('START TRANSACTION');
      await rival.query('INSERT INTO ballast (n) VALUES ?', [Array(500).fill([1])]);
      await rival.query('UPDATE background_jobs SET progress = 1 WHERE id = ?', [last]);
      const settling = settleJobs(
        bench.pool,
        1,
        jobs.map((job) => outcomeOf(job, shape)),
      );
      await sessions.waitFor(statement);
      await rival.query('UPDATE background_jobs SET progress = 1 WHERE id = ?', [first]);
      await rival.query('ROLLBACK');
      rival.release();
      expect(await settling).toMatchObject(Array(3).fill({ how: 'written' }));
      expect(await tally()).toEqual([{ status: 'completed', attempts: 1, crashes: 0, n: 3 }]);
      expect(await bench.run(1)).toMatchObject({ claimed: 3, completed: 3 });
    },
  );

  test('a producer’s open transaction on the key of one job holds up that job, and no other of its batch', async () => {
    const keyed = await bench.add({ unique_key: 'k' });
    await addMany(20);
    const jobs = await bench.claim(1);
    const producer = await bench.db.pool.getConnection();
    await producer.query('START TRANSACTION');
    const duplicate = producer.query(`INSERT INTO background_jobs (job_type, unique_key) VALUES ('test.echo', 'k')`);
    await expect(duplicate).rejects.toMatchObject({ code: 'ER_DUP_ENTRY' });

    const settled = await settleJobs(
      bench.pool,
      1,
      jobs.map((job) => outcomeOf(job, { freeKey: true })),
    );
    const blocked = settled.filter(({ how }) => how === 'blocked').map(({ settlement }) => settlement);
    expect(blocked.map(({ id }) => id)).toEqual([keyed]);
    expect(settled.filter(({ how }) => how === 'written')).toHaveLength(20);
    expect(await bench.run(1)).toMatchObject({ completed: 20 });

    await producer.query('ROLLBACK');
    producer.release();
    expect(await settleJobs(bench.pool, 1, blocked)).toMatchObject([{ how: 'written' }]);
    expect(await bench.job(keyed)).toMatchObject({ status: 'completed', unique_key: null });
    expect(await bench.run(1)).toMatchObject({ completed: 21 });
  });
});

describe('rescuing', () => {
  test('two rescuers at once put each job back once', async () => {
    const JOBS = 2_500;
    const held = ['test.echo', 'running', 1, 1];
    await bench.db.pool.query('INSERT INTO background_jobs (job_type, status, run_id, attempts) VALUES ?', [
      Array(JOBS).fill(held),
    ]);
    await closeRun(bench.pool, 1, 'lost');
    const rescued = await Promise.all([1, 2, 3, 4].map(() => rescueJobs(bench.pool, () => false)));
    expect(rescued.reduce((sum, n) => sum + n, 0)).toBe(JOBS);
    expect(await tally()).toEqual([{ status: 'pending', attempts: 0, crashes: 1, n: JOBS }]);
  });

  test('a job that was put back and claimed again in between is left to its new run', async () => {
    const [id = 0] = await addMany(1);
    await bench.claim(1);
    await closeRun(bench.pool, 1, 'lost');
    const row = await sessions.hold(
      `UPDATE background_jobs SET status = 'running', run_id = 2, attempts = 1, crashes = 1 WHERE id = ?`,
      [id],
    );
    expect(await rescueJobs(bench.pool, () => false)).toBe(0); // it is locked
    await row.commit();
    expect(await rescueJobs(bench.pool, () => false)).toBe(0);
    expect(await bench.job(id)).toMatchObject({ status: 'running', run_id: 2, attempts: 1 });
  });
});

describe('claiming', () => {
  const newClaimer = (runId: number) => new Claimer(bench.pool, { queues: [], types: [] }, runId, () => false);

  async function claimAll(claimer: Claimer, limit: number): Promise<number[]> {
    const ids: number[] = [];
    await until(async () => {
      const { jobs, exhausted } = await claimer.claim(limit);
      ids.push(...jobs.map(({ id }) => Number(id)));
      return exhausted;
    }, 'the claimer says that nothing is due');
    return ids;
  }

  test('two at once get rows that are disjoint, and all of them', async () => {
    const ids = await addMany(200);
    const [mine, theirs] = await Promise.all([claimAll(newClaimer(1), 7), claimAll(newClaimer(2), 7)]);
    expect([...mine, ...theirs].sort((a, b) => a - b)).toEqual(ids);
    expect(Math.min(mine.length, theirs.length)).toBeGreaterThan(0);
    expect(await bench.run(1)).toMatchObject({ claimed: mine.length });
    expect(await bench.run(2)).toMatchObject({ claimed: theirs.length });
  });

  test('a row that is committed late, behind the cursor, is found', async () => {
    const producer = await sessions.hold(
      `INSERT INTO background_jobs (job_type, run_at) VALUES ('late', '2026-01-01')`,
    );
    await addMany(50);
    const claimer = newClaimer(1);
    expect(await claimAll(claimer, 10)).toHaveLength(50);
    await producer.commit();
    await addMany(3);
    const found = await claimAll(claimer, 10);
    expect(found).toHaveLength(4);
    expect(await tally()).toEqual([{ status: 'running', attempts: 1, crashes: 0, n: 54 }]);
  });

  test('rows that a claim has locked and not kept can be claimed again', async () => {
    const ids = await addMany(5);
    const other = await sessions.hold(
      `UPDATE background_jobs SET status = 'running', run_id = 2 WHERE status = 'pending'`,
    );
    const claimer = newClaimer(1);
    expect((await claimer.claim(10)).jobs).toEqual([]);
    await other.release();
    expect(await claimAll(claimer, 10)).toEqual(ids);
  });
});
