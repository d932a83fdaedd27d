import type { RowDataPacket } from 'mysql2/promise';
import { text } from '../src/db/statements';
import { IDS_AT_MOST } from '../src/queue/job';
import { prune } from '../src/queue/prune';
import { DAY_MS, NOTHING, numbers, openPruneBench, type PruneBench, TWO_WEEKS } from './support/prune';
import { openReadMeter, sumEntries } from './support/reads';

let bench: PruneBench;

beforeAll(async () => {
  bench = await openPruneBench();
});

beforeEach(() => bench.clear());

describe('what it costs', () => {
  /** Entries that a piece of work reads. */
  async function countReads(work: (on: typeof bench.pool) => Promise<unknown>): Promise<number> {
    const meter = await openReadMeter(bench.db.url);
    await work(meter.pool);
    return sumEntries(meter.take());
  }

  test('1,000 old rows among 30,000 newer ones: the newer are not read', async () => {
    await bench.addEnded(20_000, 1);
    await bench.addEnded(5_000, 1, 'failed');
    await bench.addEnded(5_000, 1, 'completed', `CONCAT('queue ', n % 5)`);
    await bench.addEnded(1_000, 20);
    await bench.sql(
      `INSERT INTO background_job_runs (id, host, pid, finished_at) SELECT n + 1, 'h', 1, NOW(3) FROM ${numbers(2_000)}`,
    );
    const reads = await countReads(async (on) => {
      expect(await prune(on, { ...TWO_WEEKS, failedAgeMs: 14 * DAY_MS })).toEqual({ ...NOTHING, completed: 1_000 });
    });
    // Five times each: found, locked, deleted, named in the list of those whose history goes, and looked for there.
    expect(reads).toBeLessThan(6_000);
    const idle = await countReads((on) => prune(on, { ...TWO_WEEKS, failedAgeMs: 14 * DAY_MS }));
    expect(idle).toBeLessThan(100);
  });

  test.each([
    ['lock_ended_jobs', 'PRIMARY'],
    ['delete_ended_jobs', 'PRIMARY'],
    ['delete_closed_runs', 'PRIMARY'],
    ['delete_errors', 'PRIMARY'],
  ])('%s reads a full portion by its key %s, and not the table', async (name, key) => {
    const portion = Array.from({ length: IDS_AT_MOST }, (_, index) => index + 1);
    const values = { ids: portion, status: 'completed', cutoff: new Date() };
    const [plan] = await bench.pool.query<RowDataPacket[]>(`EXPLAIN FORMAT=TRADITIONAL ${text(name)}`, values);
    expect(plan).toMatchObject([{ key, type: 'range' }]);
  });

  test('the history of a portion is read job by job', async () => {
    const values = { ids: JSON.stringify([1, 2, 3]) };
    const statement = `EXPLAIN FORMAT=TRADITIONAL ${text('delete_errors_of_jobs')}`;
    const [plan] = await bench.pool.query<RowDataPacket[]>(statement, values);
    expect(plan[1]).toMatchObject({ key: 'errors_of_job', type: 'ref' });
  });

  test('what is read in order is served by its index, with no filesort', async () => {
    // On an empty table MySQL takes any plan.
    await bench.sql(
      `INSERT INTO background_job_runs (id, host, pid, finished_at) SELECT n + 1, 'h', 1, NOW(3) - INTERVAL n DAY FROM ${numbers(1_000)}`,
    );
    const values = { cutoff: new Date(), after: new Date(1000), afterRunAt: new Date(1000), afterId: 0, limit: 900 };
    for (const [name, key] of [
      ['find_ended_jobs', 'claim_order'],
      ['find_closed_runs', 'live_runs'],
      ['find_orphaned_errors', 'PRIMARY'],
    ] as const) {
      const all = { ...values, status: 'completed', queue: 'default', priority: 0 };
      const [plan] = await bench.pool.query<RowDataPacket[]>(`EXPLAIN FORMAT=TRADITIONAL ${text(name)}`, all);
      expect(plan[0]).toMatchObject({ key, type: 'range' });
      if (plan[1] !== undefined) expect(plan[1]).toMatchObject({ key: 'PRIMARY', type: 'eq_ref' });
      expect(plan.map(({ Extra }) => Extra).join()).not.toMatch(/filesort|temporary/i);
    }
  });
});
