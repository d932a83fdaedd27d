import { createConnection, type RowDataPacket } from 'mysql2/promise';
import type { Pool } from '../src/db/pool';
import { text } from '../src/db/statements';
import { claimLane, claimLaneByType } from '../src/queue/claim';
import { IDS_AT_MOST } from '../src/queue/job';
import { findLanes, Lane } from '../src/queue/lanes';
import { openRun } from '../src/queue/runs';
import { createDatabase, type TestDatabase } from './support/database';
import { openQueuePool } from './support/tables';

const RUN = 42;
const COMPLETED = 1_000_000;
const FUTURE = 200_000;

let database: TestDatabase;
let pool: Pool;

beforeAll(async () => {
  database = await createDatabase();
  pool = openQueuePool(database.urls.worker);
  await openRun(pool, { runId: RUN, host: 'h', pid: 1, selection: '', leaseMs: 3_600_000 });
}, 60_000);

afterAll(() => pool.end());

/** Rows doubled inside the server until there are `count` of them. */
async function insertMany(count: number, columns: string, values: string): Promise<void> {
  await database.pool.query('CREATE TABLE numbers (n INT NOT NULL PRIMARY KEY) SELECT 0 AS n');
  for (let size = 1; size < count; size *= 2) {
    await database.pool.query('INSERT INTO numbers SELECT n + ? FROM numbers', [size]);
  }
  await database.pool.query(`INSERT INTO background_jobs (${columns}) SELECT ${values} FROM numbers WHERE n < ?`, [
    count,
  ]);
  await database.pool.query('DROP TABLE numbers');
}

/** Entries that the server has read for this connection so far, whatever way it read them. */
async function entriesRead(on: Pool): Promise<number> {
  const [rows] = await on.query<RowDataPacket[]>("SHOW SESSION STATUS LIKE 'Handler\\_read\\_%'");
  return rows.reduce((sum, row) => sum + Number(row['Value']), 0);
}

/** What a piece of work reads, on a pool of one connection. */
async function countReads<T>(work: (on: Pool) => Promise<T>): Promise<{ value: T; reads: number }> {
  const single = openQueuePool(database.urls.worker, 1);
  try {
    await single.query('SELECT 1');
    const empty = await entriesRead(single);
    const idle = (await entriesRead(single)) - empty; // what asking costs
    const before = await entriesRead(single);
    const value = await work(single);
    return { value, reads: (await entriesRead(single)) - before - idle };
  } finally {
    await single.end();
  }
}

const claim = { runId: RUN, isHeld: () => false };

test('a claim of 100 reads each of them once to find it, whatever else the table holds', async () => {
  await insertMany(COMPLETED, 'job_type, status, processed_at', "'done', 'completed', NOW(3)");
  await insertMany(FUTURE, 'job_type, run_at', "'later', NOW(3) + INTERVAL 1 DAY");
  await insertMany(1_000, 'job_type, run_at, priority', "'due', NOW(3) - INTERVAL 1 MINUTE, 1");

  const look = await countReads((on) => findLanes(on, []));
  expect(look.value).toEqual([
    { queue: 'default', priority: 0, due: false },
    { queue: 'default', priority: 1, due: true },
  ]);
  expect(look.reads).toBeLessThanOrEqual(6);

  const marked = await countReads((on) => claimLane(on, new Lane('default', 1), { ...claim, limit: 100 }));
  expect(marked.value).toHaveLength(100);
  // 100 to find and lock them, 100 more by primary key when the same rows are marked running.
  const finding = marked.reads - marked.value.length;
  expect({ finding, atMost: 150, enough: finding <= 150 }).toMatchObject({ enough: true });

  const lane = new Lane('default', 1);
  await claimLane(pool, lane, { ...claim, limit: 100 });
  const again = await countReads((on) => claimLane(on, lane, { ...claim, limit: 100 }));
  expect(again.value).toHaveLength(100);
  expect(again.reads - 100).toBeLessThanOrEqual(150);
}, 120_000);

test('the claim is served by its index in order, with no filesort', async () => {
  const statement = text('claim_lane');
  const values = { queue: 'default', priority: 1, afterRunAt: new Date(1000), afterId: 0, limit: 100 };
  const [plan] = await pool.query<RowDataPacket[]>(`EXPLAIN FORMAT=TRADITIONAL ${statement}`, values);
  expect(plan).toHaveLength(1);
  expect(plan[0]).toMatchObject({ key: 'claim_order', type: 'range' });
  expect(String(plan[0]?.['Extra'])).not.toMatch(/filesort|temporary/i);
});

test.each(['claim_candidates', 'lock_running_jobs', 'lock_jobs_by_id', 'find_jobs_by_id', 'mark_claimed'])(
  '%s reads a full batch by primary key, and not the table',
  async (name) => {
    const ids = Array.from({ length: IDS_AT_MOST }, (_, index) => index + 1);
    const values = { ids, runId: RUN, queue: 'default', priority: 1, types: ['due'] };
    const [plan] = await pool.query<RowDataPacket[]>(`EXPLAIN FORMAT=TRADITIONAL ${text(name)}`, values);
    expect(plan).toMatchObject([{ key: 'PRIMARY', type: 'range' }]);
  },
);

test('a claim by type does not read the other types again', async () => {
  await insertMany(2_000, 'job_type, queue', "'other', 'mixed'");
  await insertMany(200, 'job_type, queue', "'wanted', 'mixed'");
  const lane = new Lane('mixed', 0);
  const first = await claimLaneByType(pool, lane, ['wanted'], { ...claim, limit: 100 });
  expect(first.map(({ type }) => type)).toEqual(Array(100).fill('wanted'));
  const next = await countReads((on) => claimLaneByType(on, lane, ['wanted'], { ...claim, limit: 100 }));
  expect(next.value).toHaveLength(100);
  // found without locks, locked by primary key, marked: three times each, and none of the 2,000.
  expect(next.reads).toBeLessThanOrEqual(350);
  const dry = await countReads((on) => claimLaneByType(on, lane, ['wanted'], { ...claim, limit: 100 }));
  expect(dry.value).toHaveLength(0);
  const idle = await countReads((on) => claimLaneByType(on, lane, ['wanted'], { ...claim, limit: 100 }));
  expect(idle.reads).toBeLessThanOrEqual(10);
});

test('with a snapshot held, the last thousand of 40,000 are claimed about as fast as the first', async () => {
  await insertMany(40_000, 'job_type, queue', "'held', 'snapshot'");
  const snapshot = await createConnection(database.url);
  try {
    await snapshot.query('START TRANSACTION WITH CONSISTENT SNAPSHOT');
    await snapshot.query('SELECT COUNT(*) FROM background_job_runs');
    const lane = new Lane('snapshot', 0);
    const times: number[] = [];
    for (let batch = 0; batch < 50; batch++) {
      const started = performance.now();
      const jobs = await claimLane(pool, lane, { ...claim, limit: 800 });
      times.push(performance.now() - started);
      expect(jobs).toHaveLength(800);
    }
    const median = (of: number[]) => of.sort((a, b) => a - b)[Math.floor(of.length / 2)] ?? 0;
    const ratio = median(times.slice(-5)) / median(times.slice(1, 6));
    // Without the cursor each claim walks over all claimed before it: thirty times and more.
    expect({ ratio, fast: ratio < 3 }).toMatchObject({ fast: true });
  } finally {
    await snapshot.end();
  }
}, 60_000);
