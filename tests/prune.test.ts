import type { RowDataPacket } from 'mysql2/promise';
import { text } from '../src/db/statements';
import { IDS_AT_MOST } from '../src/queue/job';
import { type Pruned, prune } from '../src/queue/prune';
import { reviveJobs } from '../src/queue/retry';
import { openRun } from '../src/queue/runs';
import { settleJobs } from '../src/queue/settle';
import { openQueueBench, outcomeOf, type QueueBench } from './support/queue';
import { insertRow } from './support/rows';
import { type Sessions, watchSessions } from './support/sessions';
import { openQueuePool } from './support/tables';
import { until } from './support/until';

const DAY_MS = 86_400_000;
const TWO_WEEKS = { ageMs: 14 * DAY_MS };

let bench: QueueBench;
let sessions: Sessions;

beforeAll(async () => {
  bench = await openQueueBench(6);
  bench.pool.pool.on('connection', (connection) => connection.query('SET SESSION innodb_lock_wait_timeout = 1'));
  sessions = await watchSessions(bench.db);
});

beforeEach(() => bench.clear());

const sql = async (statement: string, values: unknown[] = []): Promise<RowDataPacket[]> => {
  const [rows] = await bench.db.pool.query<RowDataPacket[]>(statement, values);
  return rows;
};

/** As many rows as asked for, made inside the server, `SELECT n` from 0 up. */
const numbers = (count: number): string =>
  `(SELECT n - 1 AS n FROM JSON_TABLE(CONCAT('[0', REPEAT(',0', ${count - 1}), ']'), '$[*]' COLUMNS (n FOR ORDINALITY)) AS list) AS numbers`;

/** Jobs that were due and ended this many days ago. */
async function addEnded(count: number, daysAgo: number, status = 'completed', columns = ''): Promise<void> {
  await sql(
    `INSERT INTO background_jobs (job_type, status, run_at, processed_at, queue, attempts)
     SELECT 'test.echo', ?, NOW(3) - INTERVAL ? DAY, NOW(3) - INTERVAL ? DAY, ${columns || `'default'`}, 1 FROM ${numbers(count)}`,
    [status, daysAgo, daysAgo],
  );
}

const addOne = (daysAgo: number, columns: Record<string, unknown> = {}): Promise<number> => {
  const at = new Date(Date.now() - daysAgo * DAY_MS);
  return bench.add({ status: 'completed', run_at: at, processed_at: at, attempts: 1, ...columns });
};

const count = async (what: string): Promise<number> =>
  Number((await sql(`SELECT COUNT(*) AS n FROM ${what}`))[0]?.['n']);
const ids = async (): Promise<number[]> =>
  (await sql('SELECT id FROM background_jobs ORDER BY id')).map(({ id }) => id);

const NOTHING: Pruned = {
  completed: 0,
  failed: 0,
  runs: 0,
  orphanedErrors: 0,
  kept: 0,
  keptBy: [],
  undated: 0,
  locked: 0,
  isWhole: true,
};

describe('what goes and what stays', () => {
  test('an empty database has nothing to prune', async () => {
    expect(await prune(bench.pool, TWO_WEEKS)).toEqual(NOTHING);
  });

  test('completed jobs go by the time they ended, in every lane, and no others', async () => {
    const stay = [
      await addOne(13.9),
      await addOne(400, { status: 'failed' }),
      await addOne(400, { status: 'failed', cancelled_at: new Date() }),
      await addOne(400, { status: 'pending', processed_at: null }),
      await addOne(400, { status: 'running', run_id: 1, processed_at: null }),
      // Run before its time by `run --id`: it goes once its run_at is past, too.
      await addOne(20, { run_at: new Date(Date.now() + DAY_MS) }),
      // It was due for long and ended yesterday.
      await addOne(1, { run_at: new Date(Date.now() - 100 * DAY_MS) }),
    ];
    for (const lane of [
      {},
      { priority: -32_768 },
      { priority: 32_767 },
      { queue: 'mail' },
      { queue: '' },
      { queue: 'ü' },
    ])
      await addOne(14.1, lane);
    expect(await prune(bench.pool, TWO_WEEKS)).toEqual({ ...NOTHING, completed: 6 });
    expect(await ids()).toEqual(stay);
  });

  test('failed jobs go with an age of their own, cancelled ones with them', async () => {
    const stay = [await addOne(50), await addOne(80, { status: 'failed' })];
    await addOne(91, { status: 'failed' });
    await addOne(91, { status: 'failed', cancelled_at: new Date(), attempts: 0 });
    await addOne(61);
    const order = { ageMs: 60 * DAY_MS, failedAgeMs: 90 * DAY_MS };
    expect(await prune(bench.pool, order)).toEqual({ ...NOTHING, completed: 1, failed: 2 });
    expect(await ids()).toEqual(stay);
  });

  test('a job takes its history along, and old history goes without a job', async () => {
    const [old, recent] = [await addOne(20), await addOne(1)];
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
    expect(await sql('SELECT job_id FROM background_job_errors ORDER BY id')).toEqual([
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
      await sql('UPDATE background_job_runs SET started_at = NOW(3) - INTERVAL 400 DAY, finished_at = ? WHERE id = ?', [
        finished_at === undefined ? null : new Date(Date.now() - finished_at * DAY_MS),
        id,
      ]);
    }
    await addOne(13, { run_id: 1 });
    expect(await prune(bench.pool, TWO_WEEKS)).toEqual({ ...NOTHING, runs: 1 });
    expect(await prune(bench.pool, { ageMs: 3_600_000 })).toEqual({ ...NOTHING, completed: 1, runs: 2 });
    expect(await sql('SELECT id FROM background_job_runs ORDER BY id')).toEqual([{ id: 3 }, { id: 4 }]);
  });

  test('thousands of jobs, runs and errors go in portions', async () => {
    await addEnded(2_345, 20);
    await addEnded(1_000, 20, 'failed');
    await addEnded(950, 1);
    const at = 'NOW(3) - INTERVAL 20 DAY';
    await sql(
      `INSERT INTO background_job_errors (job_id, attempt, occurred_at, error) SELECT n + 1, 1, ${at}, 'e' FROM ${numbers(2_000)}`,
    );
    await sql(
      `INSERT INTO background_job_errors (job_id, attempt, occurred_at, error) SELECT n + 1000000, 1, ${at}, 'e' FROM ${numbers(1_900)}`,
    );
    // All at the same instant: the portions cannot be told apart by time.
    await sql(
      `INSERT INTO background_job_runs (id, host, pid, finished_at) SELECT n + 1, 'h', 1, '2020-01-01' FROM ${numbers(2_000)}`,
    );
    const lowest = Math.min(...(await ids()));
    await sql('UPDATE background_job_errors SET job_id = job_id + ? WHERE job_id < 1000000', [lowest - 1]);
    const dry = await prune(bench.pool, { ...TWO_WEEKS, failedAgeMs: 14 * DAY_MS, dryRun: true });
    expect(dry).toEqual({ ...NOTHING, completed: 2_345, failed: 1_000, runs: 2_000, orphanedErrors: 1_900 });
    expect(await count('background_jobs')).toBe(4_295);
    expect(await prune(bench.pool, { ...TWO_WEEKS, failedAgeMs: 14 * DAY_MS })).toEqual(dry);
    expect(await count('background_jobs')).toBe(950);
    expect(await count('background_job_runs')).toBe(0);
    expect(await count('background_job_errors')).toBe(0);
  });

  test('ids that a double cannot hold are told apart', async () => {
    const ID = 9_007_199_254_740_993n;
    const at = '2020-01-01';
    const columns = '(id, job_type, status, run_at, processed_at)';
    await sql(
      `INSERT INTO background_jobs ${columns} VALUES (?, 'a', 'completed', ?, ?), (?, 'a', 'pending', ?, NULL)`,
      [ID, at, at, ID - 1n, at],
    );
    await sql(`INSERT INTO background_job_errors (job_id, attempt, error) VALUES (?, 1, 'e'), (?, 1, 'e')`, [
      ID,
      ID - 1n,
    ]);
    expect(await prune(bench.pool, TWO_WEEKS)).toEqual({ ...NOTHING, completed: 1 });
    expect(await sql('SELECT CAST(id AS CHAR) AS id FROM background_jobs')).toEqual([{ id: String(ID - 1n) }]);
    expect(await sql('SELECT CAST(job_id AS CHAR) AS id FROM background_job_errors')).toEqual([
      { id: String(ID - 1n) },
    ]);
  });

  test('it ends between two portions when it may not go on', async () => {
    await addEnded(2_000, 20);
    let portions = 0;
    // Runs are asked for first, then two portions of jobs.
    const pruned = await prune(bench.pool, { ...TWO_WEEKS, mayGoOn: () => portions++ < 3 });
    expect(pruned).toEqual({ ...NOTHING, completed: 2 * IDS_AT_MOST, isWhole: false });
    expect(await count('background_jobs')).toBe(2_000 - 2 * IDS_AT_MOST);
    expect(await prune(bench.pool, TWO_WEEKS)).toEqual({ ...NOTHING, completed: 200 });
  });

  test('a row that an older script has ended without a time is never deleted, and counted', async () => {
    await addOne(100, { processed_at: null });
    expect(await prune(bench.pool, TWO_WEEKS)).toEqual({ ...NOTHING, undated: 1 });
  });

  test('large jobs go in small transactions', async () => {
    const payload = JSON.stringify('x'.repeat(6 * 1024 * 1024));
    for (let n = 0; n < 4; n++) await addOne(20, { payload });
    await addEnded(10, 20);
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

describe('what it costs', () => {
  /** Entries that a piece of work reads, on a pool of one connection. */
  async function countReads(work: (on: typeof bench.pool) => Promise<unknown>): Promise<number> {
    const single = openQueuePool(bench.db.url, 1);
    const read = async (): Promise<number> => {
      const [rows] = await single.query<RowDataPacket[]>("SHOW SESSION STATUS LIKE 'Handler\\_read\\_%'");
      return rows.reduce((sum, row) => sum + Number(row['Value']), 0);
    };
    try {
      await single.query('SELECT 1');
      const empty = await read();
      const asking = (await read()) - empty;
      const before = await read();
      await work(single);
      return (await read()) - before - asking;
    } finally {
      await single.end();
    }
  }

  test('1,000 old rows among 30,000 newer ones: the newer are not read', async () => {
    await addEnded(20_000, 1);
    await addEnded(5_000, 1, 'failed');
    await addEnded(5_000, 1, 'completed', `CONCAT('queue ', n % 5)`);
    await addEnded(1_000, 20);
    await sql(
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
    await sql(
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

test('the ids of an adopted table may be of a smaller type', async () => {
  await sql('ALTER TABLE background_jobs MODIFY id INT NOT NULL AUTO_INCREMENT, AUTO_INCREMENT = 1');
  try {
    const [stays] = [await addOne(1), await addOne(20)];
    await sql(
      `INSERT INTO background_job_errors (job_id, attempt, occurred_at, error) SELECT n, 1, '2020-01-01', 'e' FROM ${numbers(50)}`,
    );
    const statement = `EXPLAIN FORMAT=TRADITIONAL ${text('find_orphaned_errors')}`;
    const [plan] = await bench.pool.query<RowDataPacket[]>(statement, { cutoff: new Date(), afterId: 0, limit: 900 });
    expect(plan[1]).toMatchObject({ key: 'PRIMARY', type: 'eq_ref' });
    expect(await prune(bench.pool, TWO_WEEKS)).toEqual({ ...NOTHING, completed: 1, orphanedErrors: 48 });
    expect(await sql('SELECT job_id FROM background_job_errors')).toEqual([{ job_id: stays }]);
  } finally {
    await sql('ALTER TABLE background_jobs MODIFY id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT');
  }
});

describe('beside others', () => {
  test('a failed job that is revived meanwhile stays, with its history', async () => {
    const [revived, gone] = [await addOne(100, { status: 'failed' }), await addOne(100, { status: 'failed' })];
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
    expect(await sql('SELECT job_id FROM background_job_errors')).toEqual([{ job_id: revived }]);
  });

  test('a row that another session holds is left, and not waited for', async () => {
    const [held, gone] = [await addOne(100, { status: 'failed' }), await addOne(100, { status: 'failed' })];
    const other = await sessions.hold('UPDATE background_jobs SET progress = 1 WHERE id = ?', [held]);
    try {
      expect(await prune(bench.pool, { ...TWO_WEEKS, failedAgeMs: 14 * DAY_MS })).toEqual({ ...NOTHING, failed: 1 });
    } finally {
      await other.release();
    }
    expect(await ids()).toEqual([held]);
    expect(gone).toBeGreaterThan(held);
  });

  test('two prunes at once delete each row once', async () => {
    await addEnded(4_000, 20);
    const pruned = await Promise.all([1, 2, 3].map(() => prune(bench.pool, TWO_WEEKS)));
    expect(pruned.reduce((sum, { completed }) => sum + completed, 0)).toBe(4_000);
    expect(await count('background_jobs')).toBe(0);
  });

  test('claims and settles go on beside a prune that is in the middle of a portion', async () => {
    await addEnded(500, 20);
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
    expect(await ids()).toEqual(waiting);
    expect(await count('background_job_errors')).toBe(2);
  });

  /** Does something once, after the statements before this one were answered and before it is sent. */
  function interceptBefore(
    pool: typeof bench.pool,
    statement: string,
    once: () => Promise<unknown>,
  ): typeof bench.pool {
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
});

describe('foreign keys of other tables', () => {
  afterEach(async () => {
    for (const table of ['grandchild', 'child', 'second', 'strange`table'])
      await sql('DROP TABLE IF EXISTS ??', [table]);
  });

  const addChild = async (table: string, rule: string) => {
    await sql(
      `CREATE TABLE ?? (id INT AUTO_INCREMENT PRIMARY KEY, job_id BIGINT UNSIGNED, FOREIGN KEY (job_id) REFERENCES background_jobs (id) ${rule})`,
      [table],
    );
    await bench.db.users.allow('worker', 'SELECT, REFERENCES (job_id)', table);
  };

  const refer = async (table: string, jobs: readonly number[]) =>
    sql('INSERT INTO ?? (job_id) VALUES ?', [table, jobs.map((id) => [id])]);

  test('keep the jobs that rows refer to, and no others', async () => {
    await addChild('child', '');
    await addChild('second', 'ON DELETE RESTRICT');
    await addChild('strange`table', '');
    await addEnded(1_500, 20);
    const all = await ids();
    const kept = [all[0], all[77], all[1_499]].map(Number);
    await refer('child', [...kept.slice(0, 2), ...kept.slice(0, 2)]);
    await refer('second', kept.slice(2));
    const expected = { ...NOTHING, completed: 1_497, kept: 3, keptBy: ['child.job_id', 'second.job_id'] };
    expect(await prune(bench.pool, TWO_WEEKS)).toEqual(expected);
    expect(await ids()).toEqual(kept);
    await refer('strange`table', kept.slice(0, 1));
    await sql('DELETE FROM child');
    expect(await prune(bench.pool, TWO_WEEKS)).toEqual({
      ...NOTHING,
      completed: 1,
      kept: 2,
      keptBy: ['second.job_id', 'strange`table.job_id'],
    });
  });

  test('that cascade take their rows along; what refers to those keeps the job', async () => {
    await addChild('child', 'ON DELETE CASCADE');
    await sql('CREATE TABLE grandchild (child_id INT, FOREIGN KEY (child_id) REFERENCES child (id))');
    await addEnded(40, 20);
    const all = await ids();
    await refer('child', all);
    await sql('INSERT INTO grandchild SELECT id FROM child WHERE job_id IN (?)', [all.slice(10, 12)]);
    expect(await prune(bench.pool, TWO_WEEKS)).toEqual({ ...NOTHING, completed: 38, kept: 2 });
    expect(await ids()).toEqual(all.slice(10, 12));
    expect(await count('child')).toBe(2);
  });

  test('a parent among the jobs themselves goes after its children', async () => {
    await sql(
      'ALTER TABLE background_jobs ADD parent_id BIGINT UNSIGNED NULL, ADD CONSTRAINT parent FOREIGN KEY (parent_id) REFERENCES background_jobs (id)',
    );
    try {
      const parent = await addOne(20);
      for (let n = 0; n < 5; n++) await addOne(20, { parent_id: parent });
      const first = await prune(bench.pool, TWO_WEEKS);
      const second = await prune(bench.pool, TWO_WEEKS);
      expect(first.completed + second.completed).toBe(6);
      expect(await ids()).toEqual([]);
    } finally {
      await sql('ALTER TABLE background_jobs DROP FOREIGN KEY parent');
      await sql('ALTER TABLE background_jobs DROP COLUMN parent_id');
    }
  });

  test('a row of the other table that is locked holds up its portion until the next time, and nothing else', async () => {
    await addChild('child', 'ON DELETE CASCADE');
    await addEnded(1_000, 20);
    const [first = 0] = await ids();
    await refer('child', [first]);
    const other = await sessions.hold('SELECT * FROM child FOR UPDATE');
    try {
      expect(await prune(bench.pool, TWO_WEEKS)).toEqual({ ...NOTHING, completed: 100, locked: IDS_AT_MOST });
    } finally {
      await other.release();
    }
    expect(await prune(bench.pool, TWO_WEEKS)).toEqual({ ...NOTHING, completed: 900 });
  });
});

test('a deadlock in the middle of a portion: the whole portion is done again', async () => {
  await addEnded(50, 20);
  const all = await ids();
  await sql('CREATE TABLE ballast (n INT)');
  const rival = await bench.db.pool.getConnection();
  await rival.query('START TRANSACTION');
  // The lighter of two transactions is the deadlock's victim: the rival is not.
  await rival.query('INSERT INTO ballast (n) VALUES ?', [Array(2_000).fill([1])]);
  await insertRow(bench.db, 'background_job_errors', { job_id: all[0], attempt: 1, error: 'e' });
  await rival.query('UPDATE background_job_errors SET attempt = 2');
  const pruning = prune(bench.pool, TWO_WEEKS);
  await sessions.waitFor('DELETE e');
  const crossing = rival.query('UPDATE background_jobs SET progress = 1 WHERE id = ?', [all.at(-1)]);
  await crossing;
  await rival.query('ROLLBACK');
  rival.release();
  await until(async () => (await count('background_jobs')) === 0, 'all jobs are pruned');
  expect(await pruning).toEqual({ ...NOTHING, completed: 50 });
  expect(await count('background_job_errors')).toBe(0);
});
