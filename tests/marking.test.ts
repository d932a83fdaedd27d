import type { Pool } from '../src/db/pool';
import { LeaseLostError } from '../src/errors';
import type { JobId } from '../src/queue/job';
import { openRun } from '../src/queue/runs';
import { Claimer } from '../src/worker/claimer';
import { createDatabase, type TestDatabase } from './support/database';
import { CUT_AFTER, type Meddle, PASS, startProxy } from './support/proxy';
import { insertJob, readJob } from './support/rows';
import { type Sessions, watchSessions } from './support/sessions';
import { openQueuePool } from './support/tables';
import { until } from './support/until';

const RUN = 7;

let db: TestDatabase;
let sessions: Sessions;
let pool: Pool;
let meddle: Meddle;
let ids: JobId[];
/** What each claim delivered. */
let delivered: JobId[][];
let claimer: Claimer;

beforeEach(async () => {
  db = await createDatabase();
  sessions = await watchSessions(db);
  meddle = PASS;
  const proxy = await startProxy(db.urls.worker, (sql, before) => meddle(sql, before));
  pool = openQueuePool(proxy.url);
  await openRun(pool, { runId: RUN, host: 'h', pid: 1, selection: '', leaseMs: 3_600_000 });
  ids = [];
  for (let job = 0; job < 6; job++) ids.push(await insertJob(db));
  delivered = [];
  const isHeld = (id: JobId) => delivered.flat().includes(id);
  claimer = new Claimer(pool, { queues: [], types: [] }, RUN, isHeld, (jobs) => {
    delivered.push(jobs.map(({ id }) => id));
  });
});

afterEach(() => pool.end());

async function countRunning(): Promise<number> {
  const [rows] = await db.pool.query<never[]>("SELECT id FROM background_jobs WHERE status = 'running'");
  return rows.length;
}

const holdRun = () => sessions.hold('SELECT id FROM background_job_runs WHERE id = ? FOR UPDATE', [RUN]);

test('while the jobs of one claim are marked the next are locked, and they come in order', async () => {
  const run = await holdRun();
  await claimer.claim(2);
  await sessions.waitFor('claimed = claimed +');
  expect(delivered).toEqual([]);
  const next = claimer.claim(2);
  await until(async () => (await countFree()) === 2, 'four of six are locked by the two claims');
  expect(claimer.undelivered).toBe(4);
  await run.release();
  expect(await next).toEqual({ locked: 2, exhausted: false, strays: [] });
  await claimer.settled();
  expect(delivered).toEqual([ids.slice(0, 2), ids.slice(2, 4)]);
  expect(claimer.undelivered).toBe(0);
});

/** Pending jobs that nobody has locked. */
async function countFree(): Promise<number> {
  const connection = await db.pool.getConnection();
  await connection.query('START TRANSACTION');
  const [rows] = await connection.query<never[]>(
    "SELECT id FROM background_jobs WHERE status = 'pending' FOR UPDATE SKIP LOCKED",
  );
  await connection.query('ROLLBACK');
  connection.release();
  return rows.length;
}

// The jobs of the second claim are this run's, too, by the time somebody asks which of its jobs it does not know of.
test('a claim whose answer is lost is looked up once the one beside it has come: nothing is had twice', async () => {
  let commits = 0;
  meddle = (sql) => (sql === 'COMMIT' && ++commits === 1 ? CUT_AFTER : sql);
  const run = await holdRun();
  await claimer.claim(2);
  await sessions.waitFor('claimed = claimed +');
  const next = claimer.claim(2);
  await until(async () => (await countFree()) === 2, 'four of six are locked by the two claims');
  await run.release();
  await next;
  const { strays } = await claimer.claim(2);
  await claimer.settled();
  const all = [...strays.map(({ id }) => id), ...delivered.flat()];
  expect(strays).toHaveLength(2);
  expect([...all].sort()).toEqual([...ids].sort());
  expect(await countRunning()).toBe(6);
});

test('jobs whose run was closed while they were marked are not delivered, and stay pending', async () => {
  const run = await sessions.hold('UPDATE background_job_runs SET finished_at = NOW(3) WHERE id = ?', [RUN]);
  await claimer.claim(2);
  await sessions.waitFor('claimed = claimed +');
  await run.commit();
  await expect(claimer.settled()).rejects.toThrow(LeaseLostError);
  expect(delivered).toEqual([]);
  expect(await countRunning()).toBe(0);
});

test('what a claim has locked and not got is claimed by a later one', async () => {
  let isBroken = true;
  meddle = (sql) =>
    isBroken && sql.includes("SET status = 'running'") ? sql.replace('attempts + 1', 'no_column') : sql;
  await claimer.claim(2);
  await expect(claimer.settled()).rejects.toThrow(/no_column/);
  isBroken = false;
  await until(async () => (await claimer.claim(6)).locked > 0, 'they are locked again');
  await claimer.settled();
  expect(delivered.flat()).toEqual(ids);
  expect(await readJob(db, Number(ids[0]))).toMatchObject({ status: 'running', attempts: 1 });
});
