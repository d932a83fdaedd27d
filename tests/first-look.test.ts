import type { Pool } from '../src/db/pool';
import { openRun } from '../src/queue/runs';
import { Claimer } from '../src/worker/claimer';
import { createDatabase, type TestDatabase } from './support/database';
import { insertJob, insertRow } from './support/rows';
import { openQueuePool } from './support/tables';
import { until } from './support/until';

let db: TestDatabase;
let pool: Pool;
let claimer: Claimer;

const RUN = 7;

beforeEach(async () => {
  db = await createDatabase();
  pool = openQueuePool(db.urls.worker);
  await openRun(pool, { runId: RUN, host: 'h', pid: 1, selection: '', leaseMs: 3_600_000 });
  claimer = new Claimer(pool, { queues: [], types: [] }, RUN, () => false);
});

afterEach(() => pool.end());

// The poll that stood between a first look and a second one was 200 ms of each run that found nothing.
test('a first claim begins with a look: where it finds nothing, nothing is due', async () => {
  expect(await claimer.claim(10)).toEqual({ jobs: [], exhausted: true, strays: [] });
});

test('future jobs and paused queues are nothing due', async () => {
  await db.pool.query("INSERT INTO background_jobs (job_type, run_at) VALUES ('a', NOW() + INTERVAL 1 HOUR)");
  await insertJob(db, { queue: 'paused' });
  await insertRow(db, 'background_job_queues', { queue: 'paused', paused_at: new Date() });
  expect(await claimer.claim(10)).toEqual({ jobs: [], exhausted: true, strays: [] });
});

// A scan of the lane before it goes one row too far, and holds the lock of that row for a moment.
test('a due job that somebody holds locked is not nothing: it is looked for again', async () => {
  const id = await insertJob(db);
  const other = await db.pool.getConnection();
  await other.query('START TRANSACTION');
  await other.query('SELECT id FROM background_jobs WHERE id = ? FOR UPDATE', [id]);
  expect(await claimer.claim(10)).toEqual({ jobs: [], exhausted: false, strays: [] });
  await other.query('ROLLBACK');
  other.release();
  const found = await until(async () => (await claimer.claim(10)).jobs[0], 'it is claimed');
  expect(found.id).toBe(id);
});

test('a claim without a look of its own never says that nothing is due', async () => {
  await insertJob(db);
  expect((await claimer.claim(10)).jobs).toHaveLength(1);
  // The look that found one lane is less than a second old.
  await insertJob(db, { queue: 'new' });
  const found = await until(async () => {
    const { jobs, exhausted } = await claimer.claim(10);
    expect(exhausted).toBe(false);
    return jobs[0];
  }, 'the job of the new queue is claimed');
  expect(found.queue).toBe('new');
});
