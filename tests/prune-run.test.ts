import { takePruneTurn } from '../src/queue/prune-turn';
import { pruneInTurn } from '../src/worker/prune-in-turn';
import { CUT_BEFORE, startProxy } from './support/proxy';
import { start } from './support/rowlock';
import { openQueuePool } from './support/tables';
import { until } from './support/until';
import { openWorkshop, type Workshop } from './support/workshop';

let shop: Workshop;

beforeAll(async () => {
  shop = await openWorkshop('run-jobs.js');
});

beforeEach(async () => {
  await shop.clear();
  await shop.db.pool.query('DELETE FROM background_job_schedules');
});

const PRUNES = { ROWLOCK_PRUNE: '14d' };
const SILENT_SUCCESS = { code: 0, signal: null, stdout: '', stderr: '' };

const addOld = async (jobs: number): Promise<void> => {
  await shop.db.pool.query('INSERT INTO background_jobs (job_type, status, run_at, processed_at) VALUES ?', [
    Array(jobs).fill(['echo', 'completed', new Date('2020-01-01'), new Date('2020-01-01')]),
  ]);
};

const countOld = async (): Promise<number> => {
  const [row] = await shop.rows(`SELECT COUNT(*) AS n FROM background_jobs WHERE processed_at < '2021-01-01'`);
  return Number(row?.['n']);
};

/** As if the last prune had been this long ago. */
const turnWas = (hoursAgo: number) =>
  shop.db.pool.query(
    `REPLACE INTO background_job_schedules (job_type, cron, last_tick) VALUES ('rowlock.prune', '@daily', NOW(3) - INTERVAL ? MINUTE)`,
    [hoursAgo * 60],
  );

const turn = async (): Promise<Record<string, unknown> | undefined> => {
  const [row] = await shop.rows(
    `SELECT cron, last_tick > NOW(3) - INTERVAL 1 HOUR AS isRecent FROM background_job_schedules WHERE job_type = 'rowlock.prune'`,
  );
  return row;
};

test('the first run with ROWLOCK_PRUNE prunes, silently, and the next one a day later', async () => {
  await addOld(2);
  await shop.add('echo');
  expect(await shop.run([], PRUNES)).toEqual(SILENT_SUCCESS);
  expect(await countOld()).toBe(0);
  expect(await turn()).toEqual({ cron: '@daily', isRecent: 1 });
  await addOld(1);
  await turnWas(23.9);
  await shop.run([], PRUNES);
  expect(await countOld()).toBe(1);
  await turnWas(24.1);
  await shop.run([], PRUNES);
  expect(await countOld()).toBe(0);
  expect(await turn()).toMatchObject({ isRecent: 1 });
});

test('the row of a run that prunes is closed before, with its own outcome and counts', async () => {
  await addOld(1);
  await shop.add('echo');
  const { stderr } = await shop.run([], { ...PRUNES, LOG_LEVEL: 'info' });
  const events = stderr
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(events.slice(-2)).toEqual([
    expect.objectContaining({ event: 'run.finished', outcome: 'finished', completed: 1 }),
    expect.objectContaining({ event: 'jobs.pruned', level: 'info', completed: 1, runs: 0, kept: 0, is_whole: true }),
  ]);
  expect(await shop.rows('SELECT outcome, completed FROM background_job_runs')).toEqual([
    { outcome: 'finished', completed: 1 },
  ]);
});

test.each<[string, (id: number) => string[], Record<string, string>]>([
  ['without ROWLOCK_PRUNE', () => [], {}],
  ['with --dry-run', () => ['--dry-run'], PRUNES],
  ['with --id', (id) => ['--id', String(id)], PRUNES],
])('a run %s prunes nothing', async (_, args, env) => {
  await addOld(1);
  const id = await shop.add('echo');
  expect((await shop.run(args(id), env)).code).toBe(0);
  expect([await countOld(), await turn()]).toEqual([1, undefined]);
});

test('a skipped run prunes nothing, nor one that was told to stop', async () => {
  await addOld(1);
  await shop.add('gated', 'gate');
  const holder = shop.start([], PRUNES);
  await until(() => shop.notes().includes('gate began'), 'the job runs');
  expect(await shop.run([], PRUNES)).toEqual(SILENT_SUCCESS);
  expect(await shop.rows(`SELECT outcome FROM background_job_runs WHERE outcome IS NOT NULL`)).toEqual([
    { outcome: 'skipped' },
  ]);
  holder.child.kill('SIGTERM');
  await until(
    async () => (await shop.rows('SELECT id FROM background_job_runs WHERE slot IS NOT NULL')).length === 0,
    'the run stops',
  );
  shop.openGate('gate');
  expect((await holder.ended).code).toBe(0);
  expect([await countOld(), await turn()]).toEqual([1, undefined]);
});

test('of many runs at once one has the turn, at the first time and at every other', async () => {
  const pool = openQueuePool(shop.db.url, 12);
  const takeMany = async () =>
    (await Promise.all(Array.from({ length: 12 }, () => takePruneTurn(pool)))).filter(Boolean);
  try {
    for (let day = 0; day < 5; day++) {
      expect(await takeMany()).toEqual([true]);
      await turnWas(25);
    }
    // The clock of the server was set back: the turn lies ahead.
    await turnWas(-48);
    expect(await takeMany()).toEqual([true]);
    expect(await takeMany()).toEqual([]);
  } finally {
    await pool.end();
  }
});

test('of runs that start at once, in processes of their own, one prunes', async () => {
  await addOld(100);
  const runs = Array.from({ length: 4 }, () => shop.run(['--max-runs', '4'], { ...PRUNES, LOG_LEVEL: 'info' }));
  const told = (await Promise.all(runs)).map(({ stderr }) => stderr.includes('"event":"jobs.pruned"'));
  expect(told.filter(Boolean)).toEqual([true]);
  expect(await countOld()).toBe(0);
});

test('the rows of schedules are left as they are', async () => {
  await shop.db.pool.query(
    `INSERT INTO background_job_schedules (job_type, cron, last_tick) VALUES ('report', '0 6 * * *', '2020-01-01')`,
  );
  const read = () => shop.rows(`SELECT * FROM background_job_schedules WHERE job_type <> 'rowlock.prune'`);
  const before = await read();
  await shop.run([], PRUNES);
  expect(await read()).toEqual(before);
  expect(await turn()).toBeDefined();
});

test('a prune that fails is told in one line, and its run is as it was', async () => {
  await addOld(1);
  await shop.add('echo');
  await shop.db.pool.query('RENAME TABLE background_job_errors TO hidden');
  try {
    const { code, stderr } = await shop.run([], PRUNES);
    expect(code).toBe(0);
    expect(stderr).toMatch(
      /^rowlock: pruning failed: .*background_job_errors.*; it is tried again in a day, or now by rowlock prune\n$/,
    );
  } finally {
    await shop.db.pool.query('RENAME TABLE hidden TO background_job_errors');
  }
  expect(await shop.rows('SELECT outcome, completed FROM background_job_runs')).toEqual([
    { outcome: 'finished', completed: 1 },
  ]);
  expect(await countOld()).toBe(1);
});

describe('a run that is pruning', () => {
  /** Lets a run come to its first portion of old jobs, and holds it there. */
  async function startPruning() {
    await addOld(2_000);
    const held = await shop.db.pool.getConnection();
    await held.query('LOCK TABLES background_job_errors WRITE');
    const running = start(['run', '--jobs', require.resolve('./fixtures/run-jobs.js')], {
      env: { DATABASE_URL: shop.db.url, TEST_FOLDER: shop.path(''), ...PRUNES, LOG_LEVEL: 'info' },
    });
    await until(() => running.stderr().includes('run.finished'), 'the run has ended its work');
    await until(async () => {
      const sessions = await shop.rows('SELECT INFO AS Info FROM information_schema.PROCESSLIST WHERE DB = ?', [
        shop.db.name,
      ]);
      return sessions.some(({ Info }) => String(Info).startsWith('DELETE e FROM JSON_TABLE'));
    }, 'the run deletes its first portion');
    return {
      ...running,
      async letGo() {
        await held.query('UNLOCK TABLES');
        held.release();
      },
    };
  }

  test('keeps no other from running', async () => {
    const pruning = await startPruning();
    const id = await shop.add('echo');
    expect((await shop.run([], PRUNES)).code).toBe(0);
    expect(await shop.job(id)).toMatchObject({ status: 'completed' });
    expect(await countOld()).toBe(2_000);
    await pruning.letGo();
    expect((await pruning.ended).code).toBe(0);
    expect(await countOld()).toBe(0);
  });

  test('ends after its portion when it is told to stop, and the next run goes on', async () => {
    const pruning = await startPruning();
    pruning.child.kill('SIGTERM');
    await until(() => pruning.stderr().includes('run.stopping'), 'the signal is seen');
    await pruning.letGo();
    const { code, stderr } = await pruning.ended;
    expect(code).toBe(0);
    expect(stderr).toContain('"is_whole":false');
    expect(await countOld()).toBe(1_100);
    await shop.run([], PRUNES);
    expect(await countOld()).toBe(0);
  });

  test('that is killed leaves whole portions, and the rest to the next day', async () => {
    const pruning = await startPruning();
    pruning.child.kill('SIGKILL');
    await pruning.ended;
    await pruning.letGo();
    await until(
      async () => (await shop.rows('SELECT id FROM background_jobs FOR UPDATE SKIP LOCKED')).length === 2_000,
      'the server has undone its open portion',
    );
    await shop.run([], PRUNES);
    expect(await countOld()).toBe(2_000);
    expect(await turn()).toMatchObject({ isRecent: 1 });
    await turnWas(25);
    await shop.run([], PRUNES);
    expect(await countOld()).toBe(0);
  });
});

test('a portion whose connection is lost is done again; a server that stays away does not fail the run', async () => {
  await addOld(10);
  let cuts = 1;
  const proxy = await startProxy(shop.db.url, (sql) => (sql.startsWith('DELETE j') && cuts-- > 0 ? CUT_BEFORE : sql));
  const through = { ...PRUNES, DATABASE_URL: proxy.url };
  expect(await shop.run([], through)).toEqual(SILENT_SUCCESS);
  expect(await countOld()).toBe(0);
  await addOld(10);
  await turnWas(25);
  cuts = 100;
  const { code, stderr } = await shop.run([], through);
  expect(code).toBe(0);
  expect(stderr).toMatch(/^rowlock: pruning failed: .*; it is tried again in a day, or now by rowlock prune\n$/);
  expect(await shop.rows(`SELECT outcome FROM background_job_runs WHERE outcome <> 'finished'`)).toEqual([]);
  expect(await turn()).toMatchObject({ isRecent: 1 });
});

describe('when its time is over', () => {
  const pool = () => openQueuePool(shop.db.url, 2);

  /** Each look at the clock finds it three seconds on. */
  async function pruneInHaste(): Promise<unknown[]> {
    const told: unknown[] = [];
    let now = 0;
    const clock = jest.spyOn(performance, 'now').mockImplementation(() => (now += 3_000));
    const own = pool();
    try {
      await pruneInTurn(own, 14 * 86_400_000, {
        emit: (name, facts) => told.push({ name, ...facts }),
        isStopping: () => false,
      });
    } finally {
      clock.mockRestore();
      await own.end();
    }
    return told;
  }

  test('the rest is the next run’s', async () => {
    await addOld(4_000);
    expect(await pruneInHaste()).toMatchObject([{ name: 'jobs.pruned', is_whole: false }]);
    expect(await countOld()).toBe(4_000 - 2 * 900);
    expect(await turn()).toMatchObject({ isRecent: 0 });
    await shop.run([], PRUNES);
    expect(await countOld()).toBe(0);
    expect(await turn()).toMatchObject({ isRecent: 1 });
  });

  test('a prune that gets nowhere is not tried again by each run', async () => {
    await addOld(4_000);
    await shop.db.pool.query('UPDATE background_jobs SET processed_at = NULL');
    expect(await pruneInHaste()).toMatchObject([{ name: 'jobs.pruned', completed: 0, is_whole: false }]);
    expect(await turn()).toMatchObject({ isRecent: 1 });
  });
});
