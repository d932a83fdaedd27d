import { z } from 'zod';
import { defineJob, type FunctionJob, RetryAfterError, UnrecoverableError } from '../src';
import { change, select } from '../src/db/statements';
import { type RunJobOptions, runJob } from '../src/testing';
import { Recorder } from '../src/testing/recorder';

const job = (run: FunctionJob['run'], options: Partial<FunctionJob> = {}) =>
  defineJob({ type: 'test.job', ...options, run });

test('what ctx has is its own: a copy of it has all of it, too', async () => {
  const definition = job(async (_, ctx) => {
    const { save, log, signal, checkpoint } = ctx;
    const copy = { ...ctx, mailer: 1 };
    await copy.save({ page: 2 });
    await save({ page: 3 });
    copy.log.info('told');
    log.info('told again');
    return [copy.signal === signal, checkpoint, copy.job.type, typeof copy.enqueue, typeof copy.complete];
  });
  const run = await runJob(definition, null);
  expect(run).toMatchObject({ outcome: 'completed', result: [true, null, 'test.job', 'function', 'function'] });
  expect(run.saves).toEqual([{ page: 2 }, { page: 3 }]);
  expect(run.logs).toHaveLength(2);
});

const fail = (error: unknown) => job(() => Promise.reject(error));

/** Takes any statement and remembers it. */
const stub = () => {
  const seen: unknown[][] = [];
  const take = async (...args: unknown[]) => {
    seen.push(args);
    return [{ affectedRows: 1 }];
  };
  return { seen, query: take, execute: take };
};

test('the function gets its payload as the schema makes it, and the facts of the attempt', async () => {
  const definition = defineJob({
    type: 'test.mail',
    queue: 'mail',
    maxAttempts: 3,
    payload: z.object({ at: z.coerce.date(), big: z.bigint() }),
    run: ({ at, big }, ctx) => ({ year: at.getUTCFullYear(), big: big + 1n, job: ctx.job }),
  });
  const big = 9_007_199_254_740_993n;
  const run = await runJob(
    definition,
    { at: '2027-05-01T00:00:00Z', big },
    { attempt: 2, id: 7, createdAt: new Date(0) },
  );
  const facts = {
    id: 7,
    type: 'test.mail',
    queue: 'mail',
    attempt: 2,
    maxAttempts: 3,
    createdAt: '1970-01-01T00:00:00.000Z',
  };
  expect(run).toEqual({
    outcome: 'completed',
    result: { year: 2027, big: big + 1n, job: facts },
    committed: false,
    abandoned: false,
    saves: [],
    checkpoint: null,
    progress: [],
    enqueued: [],
    logs: [],
  });
});

test.each<[string, FunctionJob, RunJobOptions, object]>([
  ['an ordinary error', fail(new Error('no route')), {}, { outcome: 'retry', error: 'no route' }],
  ['the last attempt', fail(new Error('no route')), { attempt: 8 }, { outcome: 'failed', error: 'no route' }],
  ['a max_attempts of the row', fail(new Error('no')), { maxAttempts: 0 }, { outcome: 'failed', error: 'no' }],
  [
    'a backoff of the type',
    job(() => Promise.reject(new Error('no')), { backoff: ['1m', '2h'] }),
    { attempt: 2 },
    { delayMs: 7_200_000 },
  ],
  ['UnrecoverableError', fail(new UnrecoverableError('no such user')), {}, { outcome: 'failed' }],
  ['RetryAfterError', fail(new RetryAfterError('10m')), {}, { outcome: 'retry', delayMs: 600_000 }],
  [
    'a result that is no JSON',
    job(() => ({ f: () => 1 })),
    {},
    { outcome: 'completed', result: null, resultDropped: expect.stringContaining('no JSON') },
  ],
])('%s', async (_, definition, options, expected) => {
  expect(await runJob(definition, undefined, options)).toMatchObject(expected);
});

test('a payload that the schema refuses fails the job, naming the field and no value', async () => {
  const definition = job(() => 1, { payload: z.object({ to: z.email() }) });
  const { outcome, error } = await runJob(definition, { to: 'secret' });
  expect({ outcome, error }).toEqual({ outcome: 'failed', error: expect.stringMatching(/^payload refused: to: /) });
  expect(error).not.toContain('secret');
});

test('what the function saves, tells, logs and enqueues is recorded', async () => {
  const definition = job(
    async (_, ctx) => {
      const from = ctx.checkpoint;
      await ctx.save({ page: 2 });
      for (const fraction of [0.25, 0.5, 1]) await ctx.progress(fraction);
      ctx.log.info('half', { n: 1n });
      ctx.log.warn('done');
      const ids = await ctx.enqueue([
        { type: 'test.other', payload: { n: 1 } },
        { type: 'test.job', uniqueKey: 'k', priority: 1 },
      ]);
      await ctx.save({ page: 3 });
      return { from, to: ctx.checkpoint, ids };
    },
    { queue: 'slow' },
  );
  const other = { type: 'test.other', command: ['true'], queue: 'mail', priority: 5 } as const;
  const run = await runJob(definition, null, { checkpoint: { page: 1 }, jobs: [other] });
  expect(run).toMatchObject({
    outcome: 'completed',
    result: { from: { page: 1 }, to: { page: 3 }, ids: [1, 2] },
    saves: [{ page: 2 }, { page: 3 }],
    checkpoint: { page: 3 },
    progress: [0.25, 0.5, 1],
    logs: [
      { level: 'info', message: 'half', fields: { n: '1' } },
      { level: 'warn', message: 'done' },
    ],
    enqueued: [
      { id: 1, type: 'test.other', payload: { n: 1 }, queue: 'mail', priority: 5, uniqueKey: null, maxAttempts: null },
      { id: 2, type: 'test.job', payload: null, queue: 'slow', priority: 1, uniqueKey: 'k' },
    ],
  });
});

test('a progress that is none is refused, and not recorded', async () => {
  const definition = job(async (_, ctx) => ctx.progress(2));
  expect(await runJob(definition, null)).toMatchObject({
    outcome: 'retry',
    error: expect.stringContaining('not 2'),
    progress: [],
  });
});

describe('the own writes of the function', () => {
  test('go to tx, as they are', async () => {
    const tx = stub();
    const definition = job(async (_, ctx) => {
      await ctx.save(1, (tx) => tx.query('INSERT INTO t VALUES (?)', [1]));
      return ctx.complete((tx) => tx.execute('UPDATE t SET a = 2'), { done: true });
    });
    expect(await runJob(definition, null, { tx })).toMatchObject({
      outcome: 'completed',
      committed: true,
      result: { done: true },
      saves: [1],
    });
    expect(tx.seen).toEqual([['INSERT INTO t VALUES (?)', [1]], ['UPDATE t SET a = 2']]);
  });

  test('are an error without one, and undo what goes with them', async () => {
    const definition = job(async (_, ctx) => {
      await ctx.save(1);
      await ctx.save(2, async (tx) => {
        await ctx.enqueue({ type: 'test.other' }, tx);
        await tx.query('INSERT INTO t VALUES (1)');
      });
    });
    expect(await runJob(definition, null)).toMatchObject({
      outcome: 'retry',
      error: 'the function writes to its database; give runJob a tx with a query that takes it',
      saves: [1],
      checkpoint: 1,
      enqueued: [],
    });
  });

  test('may enqueue in the same transaction', async () => {
    const definition = job(async (_, ctx) =>
      ctx.complete((tx) => ctx.enqueue({ type: 'test.other', delay: '1h' }, tx)),
    );
    const { enqueued, committed } = await runJob(definition, null);
    expect(committed).toBe(true);
    expect(enqueued).toMatchObject([{ type: 'test.other' }]);
    expect(Number(enqueued[0]?.runAt) - Date.now()).toBeGreaterThan(3_500_000);
  });

  test.each(['COMMIT', 'DROP TABLE t'])('%s is refused, as a worker refuses it', async (sql) => {
    const definition = job(async (_, ctx) => ctx.complete((tx) => tx.query(sql)));
    const tx = stub();
    expect(await runJob(definition, null, { tx })).toMatchObject({
      outcome: 'retry',
      error: expect.stringContaining('is refused here'),
    });
    expect(tx.seen).toEqual([]);
  });

  test('are made again after a deadlock', async () => {
    const conflict = Object.assign(new Error('Deadlock found'), { errno: 1213 });
    let calls = 0;
    const query = () => (calls++ === 0 ? Promise.reject(conflict) : Promise.resolve([[]]));
    const definition = job(async (_, ctx) => ctx.complete((tx) => tx.query('UPDATE t SET a = 1')));
    expect(await runJob(definition, null, { tx: { query } })).toMatchObject({ outcome: 'completed' });
    expect(calls).toBe(2);
  });
});

describe("a statement of Rowlock's own", () => {
  test('that has no answer is an error, and never passed on as one of the function', async () => {
    const tx = stub();
    const { pool } = new Recorder(tx, new Date());
    const error = "runJob has no answer to Rowlock's own statement renew_run; report it";
    await expect(change(pool, 'renew_run')).rejects.toThrow(error);
    const connection = await pool.getConnection();
    await expect(change(connection, 'renew_run')).rejects.toThrow(error);
    await expect(pool.query({ sql: 'SELECT 2' })).rejects.toThrow(/statement without a name/);
    expect(tx.seen).toEqual([]);
  });

  test('whose text the function sends for itself is passed on', async () => {
    const tx = stub();
    await expect(select(new Recorder(tx, new Date()).pool, 'read_clock')).rejects.toThrow(/read_clock/);
    const sql = 'SELECT NOW(3) AS now';
    const definition = job(async (_, ctx) => ctx.complete((given) => given.query(sql)));
    expect(await runJob(definition, null, { tx })).toMatchObject({ outcome: 'completed' });
    expect(tx.seen).toEqual([[sql]]);
  });
});

describe('a run that must end', () => {
  const paged = job(async (_, ctx) => {
    for (let page = Number(ctx.checkpoint ?? 0) + 1; page <= 3; page++) await ctx.save(page);
    return 'all';
  });

  test('hands the job on at the next save', async () => {
    const first = await runJob(paged, null, { stopping: true });
    expect(first).toMatchObject({ outcome: 'released', saves: [1], checkpoint: 1, delayMs: 0 });
    const rest = await runJob(paged, null, { checkpoint: first.checkpoint });
    expect(rest).toMatchObject({ outcome: 'completed', result: 'all', saves: [2, 3] });
  });

  test('may begin to stop later', async () => {
    let asked = 0;
    expect(await runJob(paged, null, { stopping: () => ++asked === 2 })).toMatchObject({
      outcome: 'released',
      saves: [1, 2],
    });
  });

  const waits = (heed: boolean) =>
    job(
      (_, { signal }) =>
        new Promise((__, reject) => {
          const end = () => heed && reject(signal.reason);
          if (signal.aborted) end();
          signal.addEventListener('abort', end);
        }),
    );

  test.each<[NonNullable<RunJobOptions['abortAs']>, object]>([
    ['stopping', { outcome: 'released', error: 'the run was stopped' }],
    ['cancelled', { outcome: 'failed', error: 'cancelled' }],
    ['timeout', { outcome: 'retry', error: 'timed out' }],
    ['lost', { outcome: 'lost', error: 'the lease is lost' }],
  ])('aborts: %s', async (abortAs, expected) => {
    const abort = new AbortController();
    const running = runJob(waits(true), null, { signal: abort.signal, abortAs });
    abort.abort();
    expect(await running).toMatchObject({ ...expected, abandoned: false });
  });

  test('abandons a function that ignores its abort', async () => {
    const signal = AbortSignal.abort();
    const run = await runJob(waits(false), null, { signal, abortAs: 'timeout', grace: '10ms' });
    expect(run).toMatchObject({
      outcome: 'retry',
      abandoned: true,
      error: expect.stringContaining('ignored its abort'),
    });
  });

  test('the timeout of the type is kept', async () => {
    const slow = { ...waits(true), timeout: '20ms' };
    expect(await runJob(slow, null)).toMatchObject({ outcome: 'retry', error: 'timed out after 20 ms' });
  });
});

test('a program is started', async () => {
  const echo = { type: 'test.program', command: ['sh', '-c', 'cat; echo "job $ROWLOCK_JOB_ID" >&2'] } as const;
  expect(await runJob(echo, { n: 1 }, { id: 5 })).toMatchObject({ outcome: 'completed', result: { n: 1 } });
  const dead = {
    type: 'test.program',
    command: ['sh', '-c', 'echo "job $ROWLOCK_JOB_ID, $ROWLOCK_ATTEMPT" >&2; exit 65'],
  } as const;
  expect(await runJob(dead, null, { id: 5, attempt: 2 })).toMatchObject({ outcome: 'failed', error: 'job 5, 2' });
});

test('a definition with faults, or a grace that is none, is refused', async () => {
  await expect(runJob({ type: '', run: () => 1 }, null)).rejects.toThrow(/type is empty/);
  await expect(
    runJob(
      job(() => 1),
      null,
      { grace: 'soon' },
    ),
  ).rejects.toThrow(RangeError);
});

test('the method of a definition keeps its this', async () => {
  const definition: FunctionJob = {
    type: 'test.this',
    run() {
      return this.type;
    },
  };
  expect(await runJob(definition, null)).toMatchObject({ result: 'test.this' });
});
