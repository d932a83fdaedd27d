import { join } from 'node:path';
import { createDatabase } from './support/database';
import { readRun } from './support/life';
import { type Running, rowlock } from './support/rowlock';
import { until } from './support/until';
import { openWorkshop, type Workshop } from './support/workshop';

let shop: Workshop;

beforeAll(async () => {
  shop = await openWorkshop('recurring-jobs.js');
});

beforeEach(() => shop.clear());

const SILENT_SUCCESS = { code: 0, signal: null, stdout: '', stderr: '' };

/** As if the newest tick that was enqueued were two minutes old. */
const fallBehind = () =>
  shop.db.pool.query(
    "UPDATE background_job_schedules SET last_tick = NOW(3) - INTERVAL 2 MINUTE WHERE job_type = 'minutely'",
  );

const jobs = (type: string) => shop.rows('SELECT * FROM background_jobs WHERE job_type = ?', [type]);

describe('what a schedule owes', () => {
  beforeEach(async () => {
    await shop.run();
    await fallBehind();
  });

  test('is enqueued and done by a run', async () => {
    expect(await shop.run()).toEqual(SILENT_SUCCESS);
    expect(shop.notes()).toEqual(['minutely from the schedule']);
    expect(await jobs('minutely')).toMatchObject([{ status: 'completed', queue: 'default', unique_key: null }]);
  });

  test('is told in the log', async () => {
    const { stderr } = await shop.run([], { LOG_LEVEL: 'info' });
    expect(stderr).toContain('"event":"jobs.enqueued","message":"1 scheduled job enqueued: minutely"');
  });

  test('is enqueued also by a run that is then skipped, and by one that takes other types', async () => {
    await shop.db.pool.query(
      "INSERT INTO background_job_runs (id, host, pid, selection, slot, lease_expires_at) VALUES (7, ?, 1, 'types quick', 0, NOW(3) + INTERVAL 1 HOUR)",
      [(await readRun(shop))['host']],
    );
    expect(await shop.run(['--type', 'quick'])).toEqual(SILENT_SUCCESS);
    expect(await readRun(shop)).toMatchObject({ outcome: 'skipped' });
    expect(await jobs('minutely')).toMatchObject([{ status: 'pending' }]);
  });

  test('is not enqueued by a run of named jobs, nor by a dry run', async () => {
    const id = await shop.add('quick');
    expect(await shop.run(['--id', String(id)])).toEqual(SILENT_SUCCESS);
    expect(await shop.run(['--dry-run'])).toMatchObject({ code: 0 });
    expect(await jobs('minutely')).toEqual([]);
  });
});

describe('rowlock schedule', () => {
  let worker: Running;

  afterEach(async () => {
    worker.child.kill('SIGKILL');
    await worker.ended;
    await until(async () => (await openRuns()).length === 0, 'the runs that it has started have ended');
  });

  /** A tick each second, so that a test need not wait for the minute. */
  const start = (args: string[] = [], env: Record<string, string> = {}) => {
    worker = shop.startCommand(['schedule', '--cron', '* * * * * *', '--poll', '50ms', ...args], env);
  };

  const openRuns = () => shop.rows('SELECT id FROM background_job_runs WHERE finished_at IS NULL');

  const noted = (line: string) => until(() => shop.notes().some((note) => note.startsWith(line)), `a note: ${line}`);

  test('starts a run at each tick, and ends with SIGTERM', async () => {
    start();
    for (let round = 0; round < 2; round++) {
      const id = await shop.add('quick');
      await until(async () => (await shop.job(id))['status'] === 'completed', `job ${id} is completed`);
      await until(async () => (await openRuns()).length === 0, 'its run has ended');
    }
    const pids = shop.notes().map((line) => line.split(' ').at(-1));
    expect(new Set(pids).size).toBe(2);
    expect(pids).not.toContain(String(worker.pid));
    worker.child.kill('SIGTERM');
    const { code, stdout, stderr } = await worker.ended;
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    // Without a terminal its level is info: JSON lines, its own and those of its runs.
    const events = stderr
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).event);
    expect(events[0]).toBe('schedule.started');
    expect(events).toEqual(expect.arrayContaining(['run.started', 'job.completed', 'run.finished']));
    expect(await openRuns()).toEqual([]);
  });

  test('never has two runs at work', async () => {
    start();
    await shop.add('gated', 'door');
    await noted('gated began');
    const before = await shop.rows('SELECT id FROM background_job_runs ORDER BY started_at');
    // Two more ticks, by the clock that they are told by.
    const second = Math.floor(Date.now() / 1000);
    await until(() => Math.floor(Date.now() / 1000) >= second + 3, 'two more ticks have passed');
    expect(await shop.rows('SELECT id FROM background_job_runs ORDER BY started_at')).toEqual(before);
    shop.openGate('door');
    await noted('gated ended');
    const id = await shop.add('quick');
    await until(async () => (await shop.job(id))['status'] === 'completed', 'the next run does the next job');
    worker.child.kill('SIGTERM');
    expect(await worker.ended).toMatchObject({ code: 0 });
  });

  test('a long job does not silence the host: past --max-time the next run starts beside it', async () => {
    start(['--max-time', '6s']);
    await shop.add('gated', 'door');
    await noted('gated began');
    // One after the other: a run that has just ended beside the long one holds up none.
    for (let round = 0; round < 3; round++) {
      const id = await shop.add('quick');
      await until(async () => (await shop.job(id))['status'] === 'completed', `quick job ${id} is completed`, {
        deadlineMs: round === 0 ? 15_000 : 5_000,
      });
    }
    expect(shop.notes()).not.toContain('gated ended');
    shop.openGate('door');
    await noted('gated ended');
    worker.child.kill('SIGTERM');
    expect(await worker.ended).toMatchObject({ code: 0 });
  });

  test('hands a signal on, once, and waits for its run', async () => {
    const id = await shop.add('gated', 'door');
    start(['--grace', '20s']);
    await noted('gated began');
    worker.child.kill('SIGTERM');
    await until(() => worker.stderr().includes('run.stopping'), 'the run says that it is stopping');
    expect(worker.child.exitCode).toBeNull();
    shop.openGate('door');
    expect(await worker.ended).toMatchObject({ code: 0 });
    expect(await shop.job(id)).toMatchObject({ status: 'completed', attempts: 1 });
    expect(await readRun(shop)).toMatchObject({ outcome: 'stopped', completed: 1 });
  });

  test('goes on when the clock of the host is set back', async () => {
    const setBack = shop.path('set-back');
    const preload = join(__dirname, 'fixtures', 'set-back-clock.js');
    start([], { NODE_OPTIONS: `--require ${preload}`, SET_BACK: setBack });
    const first = await shop.add('quick');
    await until(async () => (await shop.job(first))['status'] === 'completed', 'the first job is completed');
    shop.openGate('set-back');
    await until(async () => (await openRuns()).length === 0, 'no run is at work');
    const second = await shop.add('quick');
    await until(async () => (await shop.job(second))['status'] === 'completed', 'the second job is completed');
  });

  test('a database that is not ready is told at once, and does not end it', async () => {
    const { url } = await createDatabase({ migrated: false });
    start([], { DATABASE_URL: url, LOG_LEVEL: 'warn' });
    await until(() => worker.stderr().includes('run rowlock migrate (each tick tries again)'), 'it is told');
    expect(worker.child.exitCode).toBeNull();
  });

  test('a run that fails is told, and the next tick tries again', async () => {
    start([], { DATABASE_URL: 'mysql://root@127.0.0.1:1/gone' });
    await until(() => worker.stderr().split('schedule.run_ended').length > 2, 'two runs have failed');
    expect(worker.stderr()).toContain('ended with exit code 69');
    worker.child.kill('SIGINT');
    expect(await worker.ended).toMatchObject({ code: 0 });
  });
});

describe('a wrong command line of rowlock schedule', () => {
  test.each([
    [['--cron', '61 * * * *'], 64, /^rowlock: --cron "61 \* \* \* \*": .*; give one such as "\* \* \* \* \*"\n$/],
    [['--cron', ''], 64, /^rowlock: --cron "".*\n$/],
    [['--timezone', 'Mars/Base'], 64, /^rowlock: --timezone "Mars\/Base" is unknown; .*\n$/],
    [['--concurrency', '0'], 64, /^rowlock: --concurrency "0" is no whole number from 1 to 10000\n$/],
    [['--jobs', '/nowhere.js'], 78, /^rowlock: there is no job module \/nowhere\.js; .*\n$/],
  ])('%j is refused before anything starts', async (args, code, line) => {
    const ended = await rowlock(['schedule', ...args], { env: { DATABASE_URL: shop.db.url } });
    expect({ code: ended.code, stdout: ended.stdout }).toEqual({ code, stdout: '' });
    expect(ended.stderr).toMatch(line);
  });
});
