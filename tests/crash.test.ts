import { hostname } from 'node:os';
import { countJobs, endPauses, expireLeases, findOverlaps, readRun } from './support/life';
import { until } from './support/until';
import { openWorkshop, type Workshop } from './support/workshop';

let shop: Workshop;

beforeAll(async () => {
  shop = await openWorkshop('fault-jobs.js');
});

beforeEach(() => shop.clear());

/** Counts, for each run, the rows that another run holds after it although it is still open: it must have given them back. */
function watchHolders() {
  const holderOf = new Map<number, number>();
  const movedFrom = new Map<number, number>();
  const look = async () => {
    const rows = await shop.rows(`SELECT id, run_id FROM background_jobs WHERE status = 'running'`);
    const openRuns = await shop.rows('SELECT id FROM background_job_runs WHERE finished_at IS NULL');
    const open = new Set(openRuns.map(({ id }) => Number(id)));
    for (const { id, run_id } of rows) {
      const before = holderOf.get(id);
      if (before !== undefined && before !== run_id && open.has(before)) {
        movedFrom.set(before, (movedFrom.get(before) ?? 0) + 1);
      }
      holderOf.set(id, run_id);
    }
  };
  return { look, movedFrom };
}

const shareSettings = ['--lease', '1s', '--max-runs', '2'];

test('kill -9 of one of two runs amid hundreds of jobs: every row ends, none is held twice, no attempt is charged', async () => {
  const JOBS = 800;
  // Long enough that the first run cannot have claimed them all before the second has even started.
  await shop.addMany(JOBS, 'work', 80);
  const holders = watchHolders();
  const victim = shop.start(shareSettings);
  await until(() => shop.notes().length > 100, 'the first run is amid its jobs');
  const other = shop.start(shareSettings);
  await until(() => shop.notes().some((line) => line.endsWith(` in ${other.pid}`)), 'the second run works beside it');
  await holders.look();
  victim.child.kill('SIGKILL');
  await victim.ended;
  shop.note(`${victim.pid} was killed`);
  const suspects = await countJobs(shop, `status = 'running' AND run_id = ${(await readRun(shop, victim.pid))['id']}`);
  expect(suspects).toBeGreaterThan(0);

  await until(
    async () => {
      const tick = shop.start(shareSettings);
      let over = false;
      void tick.ended.then(() => {
        over = true;
      });
      await until(async () => {
        await holders.look();
        return over;
      }, 'the tick ends');
      expect(await tick.ended).toEqual({ code: 0, signal: null, stdout: '', stderr: '' });
      return (await countJobs(shop, `status = 'completed'`)) === JOBS;
    },
    'a run after the lease brings every row to its end',
    { deadlineMs: 25_000 },
  );
  expect(await other.ended).toMatchObject({ code: 0, stderr: '' });
  for (const [run, moved] of holders.movedFrom) {
    const [ledger] = await shop.rows(`SELECT released FROM background_job_runs WHERE id = ${run}`);
    expect({ run, moved, ...ledger, givenBack: moved <= ledger?.['released'] }).toMatchObject({ givenBack: true });
  }
  expect(findOverlaps(shop.notes())).toEqual([]);
  expect(await countJobs(shop, 'attempts = 1')).toBe(JOBS);
  expect(await countJobs(shop, 'crashes = 1')).toBe(suspects);
  expect(await countJobs(shop, 'crashes = 0')).toBe(JOBS - suspects);
  expect(await readRun(shop, victim.pid)).toMatchObject({ outcome: 'lost', slot: null });
});

test('a type that kills its process fails after three crashes; a thousand innocents beside it lose no attempt', async () => {
  await shop.addMany(500, 'work', 1);
  const killer = await shop.add('die', 'SIGKILL');
  await shop.addMany(500, 'work', 1);
  const first = await shop.run();
  expect(first.signal).toBe('SIGKILL');
  const held = await countJobs(shop, `status = 'running'`);
  expect(held).toBeGreaterThan(1);

  let ticks = 0;
  for (; (await shop.job(killer))['status'] !== 'failed'; ticks++) {
    expect(ticks).toBeLessThan(3);
    await expireLeases(shop);
    await endPauses(shop);
    const tick = await shop.run();
    expect(tick).toMatchObject({ code: 0, signal: null });
    expect(tick.stderr).not.toMatch(/\n./);
  }
  const { id: runId } = await readRun(shop);
  const job = await shop.job(killer);
  expect(job).toMatchObject({ status: 'failed', crashes: 3, attempts: 0, run_id: runId });
  expect(job['last_error']).toContain(`run ${runId} on ${hostname()}`);
  expect(job['last_error']).toContain('SIGKILL');
  expect(await countJobs(shop, `job_type = 'work' AND status = 'completed' AND attempts = 1`)).toBe(1_000);
  expect(await countJobs(shop, `job_type = 'work' AND crashes = 1`)).toBe(held - 1);
  expect(await countJobs(shop, `job_type = 'work' AND crashes > 1`)).toBe(0);
  const errors = await shop.rows('SELECT DISTINCT job_id FROM background_job_errors');
  expect(errors).toEqual([{ job_id: killer }]);
});

test('a job that may run once is failed if its worker died, and is not run again', async () => {
  await shop.db.pool.query(
    `INSERT INTO background_job_runs (id, host, pid, lease_expires_at) VALUES (7, 'gone', 1, '2020-01-01')`,
  );
  const held = { status: 'running', run_id: 7, attempts: 1 };
  const byType = await shop.add('once', null, held);
  const byRow = await shop.add('work', 0, { ...held, max_attempts: 1 });
  const byZero = await shop.add('work', 0, { ...held, max_attempts: 0 });
  const { code, stderr } = await shop.run();
  expect({ code, lines: stderr.trimEnd().split('\n').length }).toEqual({ code: 0, lines: 1 });
  for (const id of [byType, byRow, byZero]) {
    expect(await shop.job(id)).toMatchObject({ status: 'failed', crashes: 1, last_error: 'worker died; may have run' });
  }
  expect(shop.notes()).toEqual([]);
});

describe('rescue', () => {
  const LIVE = `INSERT INTO background_job_runs (id, host, pid, lease_expires_at) VALUES (8, 'there', 1, '2037-01-01')`;
  const held = { status: 'running', run_id: 7, attempts: 4, started_at: '2026-01-01' };

  test('a row whose run’s own row was deleted is put back and run', async () => {
    const id = await shop.add('work', 0, held);
    await shop.run();
    expect(await shop.job(id)).toMatchObject({ status: 'completed', attempts: 4, crashes: 1 });
  });

  test('a job that was cancelled while its run died is failed, and its key of an active job is free', async () => {
    const cancelled = { ...held, cancelled_at: '2026-01-02' };
    const id = await shop.add('work', 0, cancelled);
    const keyed = await shop.add('key.active', null, { ...cancelled, unique_key: 'k' });
    await shop.run();
    const ended = { status: 'failed', last_error: 'cancelled', processed_at: expect.any(Date) };
    expect(await shop.job(id)).toMatchObject(ended);
    expect(await shop.job(keyed)).toMatchObject({ ...ended, unique_key: null });
    expect(shop.notes()).toEqual([]);
  });

  test('a row of an older script, with no run, and one of a live run are never touched', async () => {
    await shop.db.pool.query(LIVE);
    const older = await shop.add('work', 0, { ...held, run_id: null });
    const live = await shop.add('work', 0, { ...held, run_id: 8 });
    const before = [await shop.job(older), await shop.job(live)];
    await shop.run();
    expect([await shop.job(older), await shop.job(live)]).toEqual(before);
  });
});
