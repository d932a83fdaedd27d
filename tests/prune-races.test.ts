import { prune } from '../src/queue/prune';
import { reviveJobs } from '../src/queue/retry';
import { settleJobs } from '../src/queue/settle';
import { DAY_MS, NOTHING, openPruneBench, type PruneBench, TWO_WEEKS } from './support/prune';
import { outcomeOf } from './support/queue';
import { insertRow } from './support/rows';
import { type Sessions, watchSessions } from './support/sessions';
import { openQueuePool } from './support/tables';

let bench: PruneBench;
let sessions: Sessions;

beforeAll(async () => {
  bench = await openPruneBench();
  sessions = await watchSessions(bench.db);
});

beforeEach(() => bench.clear());

describe('beside others', () => {
  test('a failed job that is revived meanwhile stays, with its history', async () => {
    const [revived, gone] = [
      await bench.addOne(100, { status: 'failed' }),
      await bench.addOne(100, { status: 'failed' }),
    ];
    for (const job_id of [revived, gone])
      await insertRow(bench.db, 'background_job_errors', { job_id, attempt: 1, error: 'e' });
    // It locks the row between the look of the prune and its DELETE.
    let wasAsked = false;
    const pool = interceptBefore(bench.pool, 'FOR UPDATE SKIP LOCKED', async () => {
      wasAsked = true;
      await reviveJobs(bench.pool, [revived]);
    });
    expect(await prune(pool, { ...TWO_WEEKS, failedAgeMs: 14 * DAY_MS })).toEqual({ ...NOTHING, failed: 1 });
    expect(wasAsked).toBe(true);
    expect(await bench.job(revived)).toMatchObject({ status: 'pending' });
    expect(await bench.sql('SELECT job_id FROM background_job_errors')).toEqual([{ job_id: revived }]);
  });

  test('a row that another session holds is left, and not waited for', async () => {
    const [held, gone] = [await bench.addOne(100, { status: 'failed' }), await bench.addOne(100, { status: 'failed' })];
    const other = await sessions.hold('UPDATE background_jobs SET progress = 1 WHERE id = ?', [held]);
    try {
      expect(await prune(bench.pool, { ...TWO_WEEKS, failedAgeMs: 14 * DAY_MS })).toEqual({ ...NOTHING, failed: 1 });
    } finally {
      await other.release();
    }
    expect(await bench.ids()).toEqual([held]);
    expect(gone).toBeGreaterThan(held);
  });

  test('two prunes at once delete each row once', async () => {
    await bench.addEnded(4_000, 20);
    const pruned = await Promise.all([1, 2, 3].map(() => prune(bench.pool, TWO_WEEKS)));
    expect(pruned.reduce((sum, { completed }) => sum + completed, 0)).toBe(4_000);
    expect(await bench.count('background_jobs')).toBe(0);
  });

  test('claims and settles go on beside a prune that is in the middle of a portion', async () => {
    await bench.addEnded(500, 20);
    const waiting = [await bench.add(), await bench.add()];
    await bench.open(1);
    let settled: unknown;
    const pool = interceptBefore(bench.pool, 'COMMIT', async () => {
      const jobs = await bench.claim(1);
      settled = await settleJobs(
        bench.pool,
        1,
        jobs.map((job) => outcomeOf(job, { error: 'e' })),
      );
    });
    expect(await prune(pool, TWO_WEEKS)).toEqual({ ...NOTHING, completed: 500 });
    expect(settled).toMatchObject([{ how: 'written' }, { how: 'written' }]);
    expect(await bench.ids()).toEqual(waiting);
    expect(await bench.count('background_job_errors')).toBe(2);
  });
});

test('a deadlock in the middle of a portion: the whole portion is done again', async () => {
  await bench.addEnded(50, 20);
  const all = await bench.ids();
  await bench.sql('CREATE TABLE ballast (n INT)');
  const rival = await bench.db.pool.getConnection();
  await rival.query('START TRANSACTION');
  // The lighter of two transactions is the deadlock's victim: the rival is not.
  await rival.query('INSERT INTO ballast (n) VALUES ?', [Array(2_000).fill([1])]);
  await insertRow(bench.db, 'background_job_errors', { job_id: all[0], attempt: 1, error: 'e' });
  await rival.query('UPDATE background_job_errors SET attempt = 2');
  // It waits for as long as it takes the rival to cross it: a lock wait that ends is no deadlock.
  const patient = openQueuePool(bench.db.urls.worker, 1);
  patient.pool.on('connection', (connection) => connection.query('SET SESSION innodb_lock_wait_timeout = 60'));
  let crossing: Promise<unknown> | undefined;
  let isOver = false;
  // Before it is done again: a row that the rival still held would be left.
  const pool = interceptBefore(patient, 'ROLLBACK', async () => {
    await crossing;
    await rival.query('ROLLBACK');
    isOver = true;
  });
  const pruning = prune(pool, TWO_WEEKS);
  await sessions.waitFor('DELETE e');
  crossing = rival.query('UPDATE background_jobs SET progress = 1 WHERE id = ?', [all.at(-1)]);
  expect(await pruning).toEqual({ ...NOTHING, completed: 50 });
  expect(isOver).toBe(true);
  expect(await bench.count('background_jobs')).toBe(0);
  expect(await bench.count('background_job_errors')).toBe(0);
  rival.release();
  await patient.end();
});

/** Does something once, after the statements before this one were answered and before it is sent. */
function interceptBefore(pool: typeof bench.pool, statement: string, once: () => Promise<unknown>): typeof bench.pool {
  let done = false;
  const intercept = <T extends object>(of: T): T =>
    new Proxy(of, {
      get(target, key) {
        const member = Reflect.get(target, key);
        if (typeof member !== 'function') return member;
        if (key === 'getConnection') return async () => intercept(await member.call(target));
        if (key !== 'query') return member.bind(target);
        return async (...args: unknown[]) => {
          const { sql: sent } = args[0] as { sql: string };
          if (!done && sent.includes(statement)) {
            done = true;
            await once();
          }
          return member.apply(target, args);
        };
      },
    });
  return intercept(pool);
}
