import { expectBetween, findFaults, readSamples, type Samples } from './support/prometheus';
import { rowlock } from './support/rowlock';
import { insertRow, readClock } from './support/rows';
import { openWorkshop, type Workshop } from './support/workshop';

const AWAY = 'mysql://app:s3cret@127.0.0.1:1/shop';

let shop: Workshop;

beforeAll(async () => {
  shop = await openWorkshop('run-jobs.js');
}, 120_000); // the first that wants promtool waits for its download

beforeEach(() => shop.clear());

const aRun = (id: number, columns: Record<string, unknown> = {}) =>
  insertRow(shop.db, 'background_job_runs', { id, host: 'web1', pid: 42, ...columns });

async function askMetrics(): Promise<Samples> {
  const { code, stdout, stderr } = await shop.rowlock(['metrics']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(findFaults(stdout)).toBe('');
  return readSamples(stdout, ['database']);
}

describe('rowlock metrics', () => {
  test('tells what stands in the tables', async () => {
    const begun = await readClock(shop.db);
    const live = { lease_expires_at: new Date(Date.now() + 3_600_000) };
    await aRun(1, { ...live, slot: 0, completed: 3, failed: 1 });
    await aRun(2, { started_at: new Date(Date.now() - 600_000), lease_expires_at: new Date(Date.now() - 60_000) });
    const ended = { finished_at: new Date(), started_at: new Date(Date.now() - 500_000) };
    await aRun(3, { ...ended, outcome: 'finished', completed: 5, retried: 2, released: 4 });
    await aRun(4, { ...ended, outcome: 'finished', failed: 1 });
    await aRun(5, { ...ended, outcome: 'lost' });
    const yesterday = new Date(Date.now() - 86_400_000 - 60_000);
    await aRun(6, { outcome: 'error', started_at: yesterday, finished_at: yesterday, failed: 100 });

    await shop.add('echo', 1, { run_at: new Date(Date.now() - 90_000) });
    await shop.add('echo', 1, { priority: 5 });
    await shop.add('echo', 1, { run_at: '2037-12-31' });
    await shop.add('echo', 1, { status: 'running', run_id: 1 });
    await shop.add('echo', 1, { status: 'running' });
    await shop.add('echo', 1, { status: 'completed' });
    for (const columns of [{}, {}, { cancelled_at: new Date() }])
      await shop.add('echo', 1, { status: 'failed', ...columns });
    await shop.add('echo', 1, { queue: 'mail' });
    await shop.db.pool.query(`INSERT INTO background_job_queues (queue, paused_at) VALUES ('mail', NOW(3))`);

    const asked = await readClock(shop.db);
    const samples = await askMetrics();
    const answered = await readClock(shop.db);
    expect(samples).toEqual({
      'rowlock_build_info{version="0.1.0"}': 1,
      rowlock_up: 1,
      rowlock_last_run_timestamp_seconds: expect.any(Number),
      rowlock_read_timestamp_seconds: expect.any(Number),
      'rowlock_jobs{queue="default",status="due"}': 2,
      'rowlock_jobs{queue="default",status="later"}': 1,
      'rowlock_jobs{queue="default",status="running"}': 2,
      'rowlock_jobs{queue="default",status="completed"}': 1,
      'rowlock_jobs{queue="default",status="failed"}': 3,
      'rowlock_jobs{queue="mail",status="due"}': 1,
      'rowlock_jobs{queue="mail",status="later"}': 0,
      'rowlock_jobs{queue="mail",status="running"}': 0,
      'rowlock_jobs{queue="mail",status="completed"}': 0,
      'rowlock_jobs{queue="mail",status="failed"}': 0,
      'rowlock_dead_letters{queue="default"}': 2,
      'rowlock_dead_letters{queue="mail"}': 0,
      'rowlock_oldest_due_seconds{queue="default"}': expect.any(Number),
      'rowlock_oldest_due_seconds{queue="mail"}': expect.any(Number),
      'rowlock_queue_paused{queue="default"}': 0,
      'rowlock_queue_paused{queue="mail"}': 1,
      rowlock_running_without_run: 1,
      rowlock_runs_live: 1,
      'rowlock_runs_today{outcome="finished"}': 2,
      'rowlock_runs_today{outcome="stopped"}': 0,
      'rowlock_runs_today{outcome="skipped"}': 0,
      'rowlock_runs_today{outcome="lost"}': 1,
      'rowlock_runs_today{outcome="error"}': 0,
      'rowlock_attempts_today{outcome="completed"}': 8,
      'rowlock_attempts_today{outcome="retried"}': 2,
      'rowlock_attempts_today{outcome="failed"}': 2,
      'rowlock_attempts_today{outcome="released"}': 4,
    });
    const oldest = samples['rowlock_oldest_due_seconds{queue="default"}'] ?? 0;
    expect(oldest).toBeGreaterThanOrEqual(85);
    expect(oldest).toBeLessThan(600);
    expectBetween(samples['rowlock_last_run_timestamp_seconds'], begun, asked);
    expectBetween(samples['rowlock_read_timestamp_seconds'], asked, answered);
  });

  test('of tables that are empty it tells nothing that is not known', async () => {
    const samples = await askMetrics();
    expect(samples).toMatchObject({ rowlock_up: 1, rowlock_runs_live: 0, 'rowlock_runs_today{outcome="lost"}': 0 });
    expect(Object.keys(samples).filter((name) => /last_run|queue=/.test(name))).toEqual([]);
  });

  test('names of any kind arrive as they are', async () => {
    const names = [
      '',
      ' ',
      'a"b',
      'back\\slash',
      'two\nlines',
      'a\r\t\u0001',
      '😀 ünï',
      '{queue="x"} 1',
      'a,status:due',
    ];
    for (const queue of names) await shop.add('echo', 1, { queue });
    const { stdout } = await shop.rowlock(['metrics']);
    expect(findFaults(stdout)).toBe('');
    const queues = Object.keys(readSamples(stdout, ['database']))
      .map((sample) => /^rowlock_dead_letters\{queue="(.*)"\}$/s.exec(sample)?.[1])
      .filter((queue) => queue !== undefined)
      .map((queue) => queue.replaceAll(/\\(.)/g, (_all, letter: string) => (letter === 'n' ? '\n' : letter)));
    // Trailing spaces do not count in a queue's name.
    expect(new Set(queues)).toEqual(new Set(names.filter((name) => name !== ' ')));
  });

  test('of types that nobody knows it names twenty, those with the most jobs', async () => {
    const columns = { attempts: 0, run_id: 1, started_at: new Date(Date.now() - 60_000) };
    for (let n = 0; n < 25; n++) {
      const jobs = n < 5 ? 1 : 2;
      for (let job = 0; job < jobs; job++) {
        await shop.add(`unknown.${n}`, 1, { ...columns, run_at: new Date(Date.now() + 600_000) });
      }
    }
    const told = Object.entries(await askMetrics()).filter(([name]) => name.startsWith('rowlock_unknown_type_jobs'));
    expect(told.map(([, jobs]) => jobs)).toEqual(Array(20).fill(2));
  });

  test('when the server is down nothing is printed, and it exits 69', async () => {
    const ended = await rowlock(['metrics'], { env: { DATABASE_URL: AWAY } });
    expect(ended).toMatchObject({ code: 69, stdout: '' });
    expect(ended.stderr).toMatch(/^rowlock: the database server at 127\.0\.0\.1:1 does not answer .*\n$/);
  });
});
