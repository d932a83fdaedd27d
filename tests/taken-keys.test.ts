import type { Pool } from 'mysql2/promise';
import { findTakenKeys } from '../src/queue/taken-keys';
import { createDatabase, type TestDatabase } from './support/database';
import { numbers } from './support/prune';
import { openReadMeter, type ReadMeter, sumEntries } from './support/reads';

let db: TestDatabase;
let meter: ReadMeter;
let pool: Pool;
beforeAll(async () => {
  db = await createDatabase();
  meter = await openReadMeter(db.urls.worker);
  pool = meter.pool;
  await db.pool.query(
    `INSERT INTO background_jobs (job_type, unique_key) SELECT IF(n % 2, 'mail', 'other'), CONCAT('key ', n) FROM ${numbers(20_000)}`,
  );
});

test('finds the keys of this type that are taken, and reads no more than an entry for each of 1,000', async () => {
  const keys = Array.from({ length: 1_000 }, (_, index) => `key ${19_501 + index}`);
  meter.take();
  const taken = await findTakenKeys(pool, 'mail', keys);
  const reads = meter.take();
  const [rows] = await db.pool.query(
    "SELECT unique_key FROM background_jobs WHERE job_type = 'mail' AND unique_key IN (?)",
    [keys],
  );
  expect([...taken].sort()).toEqual((rows as { unique_key: string }[]).map(({ unique_key }) => unique_key).sort());
  expect(taken.size).toBeGreaterThan(200);
  // One to find the key, one more to see that no other row has it.
  expect(sumEntries(reads)).toBeLessThanOrEqual(2 * keys.length);
});

test('no keys are no question', async () => {
  meter.take();
  expect(await findTakenKeys(pool, 'mail', [])).toEqual(new Set());
  expect(meter.take()).toEqual([]);
});
