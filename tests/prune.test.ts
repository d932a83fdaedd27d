import type { RowDataPacket } from 'mysql2/promise';
import { text } from '../src/db/statements';
import { IDS_AT_MOST } from '../src/queue/job';
import { prune } from '../src/queue/prune';
import { openRun } from '../src/queue/runs';
import { DAY_MS, NOTHING, numbers, openPruneBench, type PruneBench, TWO_WEEKS } from './support/prune';
import { insertRow } from './support/rows';
import { openQueuePool } from './support/tables';

let bench: PruneBench;

beforeAll(async () => {
  bench = await openPruneBench();
});

beforeEach(() => bench.clear());

describe('what goes and what stays', () => {
  test('an empty database has nothing to prune', async () => {
    expect(await prune(bench.pool, TWO_WEEKS)).toEqual(NOTHING);
  });

  test('completed jobs go by the time they ended, in every lane, and no others', async () => {
    const stay = [
      await bench.addOne(13.9),
      await bench.addOne(400, { status: 'failed' }),
      await bench.addOne(400, { status: 'failed', cancelled_at: new Date() }),
      await bench.addOne(400, { status: 'pending', processed_at: null }),
      await bench.addOne(400, { status: 'running', run_id: 1, processed_at: null }),
      // Run before its time by `run --id`: it goes once its run_at is past, too.
      await bench.addOne(20, { run_at: new Date(Date.now() + DAY_MS) }),
      // It was due for long and ended yesterday.
      await bench.addOne(1, { run_at: new Date(Date.now() - 100 * DAY_MS) }),
    ];
    for (const lane of [
      {},
      { priority: -32_768 },
      { priority: 32_767 },
      { queue: 'mail' },
      { queue: '' },
      { queue: 'ü' },
    ])
      await bench.addOne(14.1, lane);
    expect(await prune(bench.pool, TWO_WEEKS)).toEqual({ ...NOTHING, completed: 6 });
    expect(await bench.ids()).toEqual(stay);
  });

  test('failed jobs go with an age of their own, cancelled ones with them', async () => {
    const stay = [await bench.addOne(50), await bench.addOne(80, { status: 'failed' })];
    await bench.addOne(91, { status: 'failed' });
    await bench.addOne(91, { status: 'failed', cancelled_at: new Date(), attempts: 0 });
    await bench.addOne(61);
    const order = { ageMs: 60 * DAY_MS, failedAgeMs: 90 * DAY_MS };
    expect(await prune(bench.pool, order)).toEqual({ ...NOTHING, completed: 1, failed: 2 });
    expect(await bench.ids()).toEqual(stay);
  });

  test('a job takes its history along, and old history goes without a job', async () => {
    const [old, recent] = [await bench.addOne(20), await bench.addOne(1)];
    const gone = recent + 1_000;
    for (const [job_id, days] of [
      [old, 20],
      [old, 1],
      [recent, 20],
      [gone, 20],
      [gone, 1],
    ] as const) {
      await insertRow(bench.db, 'background_job_errors', {
        job_id,
        attempt: 1,
        error: 'no luck',
        occurred_at: new Date(Date.now() - days * DAY_MS),
      });
    }
    expect(await prune(bench.pool, TWO_WEEKS)).toEqual({ ...NOTHING, completed: 1, orphanedErrors: 1 });
    expect(await bench.sql('SELECT job_id FROM background_job_errors ORDER BY id')).toEqual([
      { job_id: recent },
      { job_id: gone },
    ]);
  });

  test('closed runs go, open ones stay whatever their age, and none that ended within a day goes', async () => {
    const runs = [
      { id: 1, finished_at: 20 },
      { id: 2, finished_at: 13 },
      { id: 3, finished_at: undefined },
      { id: 4, finished_at: 0.5 },
      { id: 5, finished_at: 1.5 },
    ];
    for (const { id, finished_at } of runs) {
      await openRun(bench.pool, { runId: id, host: 'h', pid: 1, selection: '', leaseMs: 1_000 });
      await bench.sql(
        'UPDATE background_job_runs SET started_at = NOW(3) - INTERVAL 400 DAY, finished_at = ? WHERE id = ?',
        [finished_at === undefined ? null : new Date(Date.now() - finished_at * DAY_MS), id],
      );
    }
    await bench.addOne(13, { run_id: 1 });
    expect(await prune(bench.pool, TWO_WEEKS)).toEqual({ ...NOTHING, runs: 1 });
    expect(await prune(bench.pool, { ageMs: 3_600_000 })).toEqual({ ...NOTHING, completed: 1, runs: 2 });
    expect(await bench.sql('SELECT id FROM background_job_runs ORDER BY id')).toEqual([{ id: 3 }, { id: 4 }]);
  });

  test('thousands of jobs, runs and errors go in portions', async () => {
    await bench.addEnded(2_345, 20);
    await bench.addEnded(1_000, 20, 'failed');
    await bench.addEnded(950, 1);
    const at = 'NOW(3) - INTERVAL 20 DAY';
    await bench.sql(
      `INSERT INTO background_job_errors (job_id, attempt, occurred_at, error) SELECT n + 1, 1, ${at}, 'e' FROM ${numbers(2_000)}`,
    );
    await bench.sql(
      `INSERT INTO background_job_errors (job_id, attempt, occurred_at, error) SELECT n + 1000000, 1, ${at}, 'e' FROM ${numbers(1_900)}`,
    );
    // All at the same instant: the portions cannot be told apart by time.
    await bench.sql(
      `INSERT INTO background_job_runs (id, host, pid, finished_at) SELECT n + 1, 'h', 1, '2020-01-01' FROM ${numbers(2_000)}`,
    );
    const lowest = Math.min(...(await bench.ids()));
    await bench.sql('UPDATE background_job_errors SET job_id = job_id + ? WHERE job_id < 1000000', [lowest - 1]);
    const dry = await prune(bench.pool, { ...TWO_WEEKS, failedAgeMs: 14 * DAY_MS, dryRun: true });
    expect(dry).toEqual({ ...NOTHING, completed: 2_345, failed: 1_000, runs: 2_000, orphanedErrors: 1_900 });
    expect(await bench.count('background_jobs')).toBe(4_295);
    expect(await prune(bench.pool, { ...TWO_WEEKS, failedAgeMs: 14 * DAY_MS })).toEqual(dry);
    expect(await bench.count('background_jobs')).toBe(950);
    expect(await bench.count('background_job_runs')).toBe(0);
    expect(await bench.count('background_job_errors')).toBe(0);
  });

  test('ids that a double cannot hold are told apart', async () => {
    const ID = 9_007_199_254_740_993n;
    const at = '2020-01-01';
    const columns = '(id, job_type, status, run_at, processed_at)';
    await bench.sql(
      `INSERT INTO background_jobs ${columns} VALUES (?, 'a', 'completed', ?, ?), (?, 'a', 'pending', ?, NULL)`,
      [ID, at, at, ID - 1n, at],
    );
    await bench.sql(`INSERT INTO background_job_errors (job_id, attempt, error) VALUES (?, 1, 'e'), (?, 1, 'e')`, [
      ID,
      ID - 1n,
    ]);
    expect(await prune(bench.pool, TWO_WEEKS)).toEqual({ ...NOTHING, completed: 1 });
    expect(await bench.sql('SELECT CAST(id AS CHAR) AS id FROM background_jobs')).toEqual([{ id: String(ID - 1n) }]);
    expect(await bench.sql('SELECT CAST(job_id AS CHAR) AS id FROM background_job_errors')).toEqual([
      { id: String(ID - 1n) },
    ]);
  });

  test('it ends between two portions when it may not go on', async () => {
    await bench.addEnded(2_000, 20);
    let portions = 0;
    // Runs are asked for first, then two portions of jobs.
    const pruned = await prune(bench.pool, { ...TWO_WEEKS, mayGoOn: () => portions++ < 3 });
    expect(pruned).toEqual({ ...NOTHING, completed: 2 * IDS_AT_MOST, isWhole: false });
    expect(await bench.count('background_jobs')).toBe(2_000 - 2 * IDS_AT_MOST);
    expect(await prune(bench.pool, TWO_WEEKS)).toEqual({ ...NOTHING, completed: 200 });
  });

  test('a row that an older script has ended without a time is never deleted, and counted', async () => {
    await bench.addOne(100, { processed_at: null });
    expect(await prune(bench.pool, TWO_WEEKS)).toEqual({ ...NOTHING, undated: 1 });
  });

  test('large jobs go in small transactions', async () => {
    const payload = JSON.stringify('x'.repeat(6 * 1024 * 1024));
    for (let n = 0; n < 4; n++) await bench.addOne(20, { payload });
    await bench.addEnded(10, 20);
    const single = openQueuePool(bench.db.url, 1);
    try {
      const before = await commits(single);
      expect(await prune(single, TWO_WEEKS)).toEqual({ ...NOTHING, completed: 14 });
      expect((await commits(single)) - before).toBe(2);
    } finally {
      await single.end();
    }
  });

  const commits = async (on: typeof bench.pool): Promise<number> => {
    const [[row]] = await on.query<RowDataPacket[]>("SHOW SESSION STATUS LIKE 'Com\\_commit'");
    return Number(row?.['Value']);
  };
});

test('the ids of an adopted table may be of a smaller type', async () => {
  await bench.sql('ALTER TABLE background_jobs MODIFY id INT NOT NULL AUTO_INCREMENT, AUTO_INCREMENT = 1');
  try {
    const [stays] = [await bench.addOne(1), await bench.addOne(20)];
    await bench.sql(
      `INSERT INTO background_job_errors (job_id, attempt, occurred_at, error) SELECT n, 1, '2020-01-01', 'e' FROM ${numbers(50)}`,
    );
    const statement = `EXPLAIN FORMAT=TRADITIONAL ${text('find_orphaned_errors')}`;
    const [plan] = await bench.pool.query<RowDataPacket[]>(statement, { cutoff: new Date(), afterId: 0, limit: 900 });
    expect(plan[1]).toMatchObject({ key: 'PRIMARY', type: 'eq_ref' });
    expect(await prune(bench.pool, TWO_WEEKS)).toEqual({ ...NOTHING, completed: 1, orphanedErrors: 48 });
    expect(await bench.sql('SELECT job_id FROM background_job_errors')).toEqual([{ job_id: stays }]);
  } finally {
    await bench.sql('ALTER TABLE background_jobs MODIFY id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT');
  }
});
