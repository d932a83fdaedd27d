import { hostname } from 'node:os';
import { countJobs, endPauses, findOverlaps, readRun } from './support/life';
import { until } from './support/until';
import { openWorkshop, type Workshop } from './support/workshop';

let shop: Workshop;

beforeAll(async () => {
  shop = await openWorkshop('fault-jobs.js');
});

beforeEach(() => shop.clear());

const SILENT_SUCCESS = { code: 0, signal: null, stdout: '', stderr: '' };

const noted = (line: string) => until(() => shop.notes().includes(line), `a note: ${line}`);

const outcomes = async () =>
  Object.fromEntries(
    (await shop.rows('SELECT outcome, COUNT(*) AS n FROM background_job_runs GROUP BY outcome')).map(
      ({ outcome, n }) => [outcome, n],
    ),
  );

/** A run that lives on this host and has its first slot. */
const occupySlot = (selection = '') =>
  shop.db.pool.query(
    `INSERT INTO background_job_runs (id, host, pid, selection, slot, lease_expires_at) VALUES (7, ?, 1, ?, 0, '2037-01-01')`,
    [hostname(), selection],
  );

test('eight runs at once over 20,000 jobs execute each of them exactly once', async () => {
  const JOBS = 20_000;
  for (let i = 0; i < 4; i++) await shop.addMany(JOBS / 4, 'tick');
  const workers = Array.from({ length: 8 }, () => shop.start(['--max-runs', '8']));
  for (const { ended } of workers) expect(await ended).toEqual(SILENT_SUCCESS);
  const executed = shop.notes().map((line) => line.split(' ')[0]);
  expect({ executed: executed.length, jobs: new Set(executed).size }).toEqual({ executed: JOBS, jobs: JOBS });
  expect(await countJobs(shop, `status = 'completed' AND attempts = 1 AND crashes = 0`)).toBe(JOBS);
  const [ledger] = await shop.rows(
    `SELECT SUM(completed) AS completed, SUM(claimed) - SUM(released) AS kept, SUM(outcome = 'finished') AS runs,
            SUM(completed > 0) AS busy FROM background_job_runs`,
  );
  expect(ledger).toMatchObject({ completed: String(JOBS), kept: String(JOBS), runs: '8' });
  expect(Number(ledger?.['busy'])).toBeGreaterThan(1);
}, 60_000);

test('eight ticks at once: one run, seven skipped, all of them silent', async () => {
  const id = await shop.add('gated', 'door');
  const workers = Array.from({ length: 8 }, () => shop.start());
  await noted('door began');
  await until(async () => (await outcomes())['skipped'] === 7, 'seven are skipped');
  shop.openGate('door');
  for (const { ended } of workers) expect(await ended).toEqual(SILENT_SUCCESS);
  expect(await outcomes()).toEqual({ finished: 1, skipped: 7 });
  expect(await shop.job(id)).toMatchObject({ status: 'completed', attempts: 1 });
});

describe('a run past its --max-time', () => {
  test('gives its slot up and finishes what it holds, which the next runs have less room for', async () => {
    const long = await shop.add('gated', 'door');
    const worker = shop.start(['--max-time', '3s']);
    await noted('door began');
    await until(async () => (await readRun(shop))['slot'] === null, 'the slot is free');
    await shop.addMany(5, 'work', 20);

    expect(await shop.run(['--concurrency', '1'])).toEqual(SILENT_SUCCESS);
    expect(await readRun(shop)).toMatchObject({ outcome: 'skipped' });
    expect(await countJobs(shop, `status = 'completed'`)).toBe(0);

    expect(await shop.run(['--concurrency', '2'])).toEqual(SILENT_SUCCESS);
    expect(await countJobs(shop, `status = 'completed'`)).toBe(5);
    const what = shop.notes().flatMap((line) => /^\d+ (\w+) in/.exec(line)?.[1] ?? []);
    expect(what).toEqual(Array(5).fill(['began', 'ended']).flat());

    shop.openGate('door');
    expect(await worker.ended).toEqual(SILENT_SUCCESS);
    expect(await shop.job(long)).toMatchObject({ status: 'completed', attempts: 1 });
    expect(await readRun(shop, worker.pid)).toMatchObject({ outcome: 'finished', claimed: 1, completed: 1 });
  });

  test('claims nothing more, although jobs are due', async () => {
    await shop.addMany(500, 'work', 20);
    expect(await shop.run(['--max-time', '500ms', '--concurrency', '2'])).toEqual(SILENT_SUCCESS);
    const left = await countJobs(shop, `status = 'pending' AND attempts = 0 AND crashes = 0`);
    expect(left).toBeGreaterThan(0);
    expect(await countJobs(shop, `status = 'completed' AND attempts = 1`)).toBe(500 - left);
    expect(findOverlaps(shop.notes())).toEqual([]);
  });
});

describe('when every run is skipped although jobs are due', () => {
  const tenMinutesPass = () =>
    shop.db.pool.query('UPDATE background_job_runs SET started_at = started_at - INTERVAL 10 MINUTE WHERE id <> 7');

  test('one line warns after ten minutes, once', async () => {
    await occupySlot();
    await shop.db.pool.query('UPDATE background_job_runs SET started_at = NOW(3) - INTERVAL 1 HOUR');
    await shop.addMany(3, 'tick');
    await shop.db.pool.query('UPDATE background_jobs SET run_at = NOW(3) - INTERVAL 20 MINUTE');
    expect(await shop.run()).toEqual(SILENT_SUCCESS);
    await tenMinutesPass();
    const warned = await shop.run();
    expect(warned).toMatchObject({ code: 0, stdout: '' });
    expect(warned.stderr).toMatch(/^rowlock: 3 jobs are due, but every run was skipped for 10 minutes.*\n$/);
    expect(await shop.run()).toEqual(SILENT_SUCCESS);
  });

  test.each([
    ['nothing is due', () => endPauses(shop)],
    [
      'a run had the slot in between',
      async () => {
        await shop.db.pool.query('UPDATE background_job_runs SET slot = NULL WHERE id = 7');
        await shop.run();
        await shop.db.pool.query('UPDATE background_job_runs SET slot = 0 WHERE id = 7');
        await shop.add('tick', null, { run_at: '2026-01-01' });
      },
    ],
  ])('nobody is warned if %s', async (_what, meanwhile) => {
    await occupySlot();
    await shop.db.pool.query('UPDATE background_job_runs SET started_at = NOW(3) - INTERVAL 1 HOUR');
    await shop.run();
    await tenMinutesPass();
    await meanwhile();
    expect(await shop.run()).toEqual(SILENT_SUCCESS);
  });
});

test('runs that serve other queues or types do not compete for a slot; the same ones do, in any order', async () => {
  await occupySlot();
  const id = await shop.add('tick', null, { queue: 'mail' });
  expect(await shop.run(['--queue', 'mail,bulk'])).toEqual(SILENT_SUCCESS);
  expect(await shop.job(id)).toMatchObject({ status: 'completed' });

  await shop.clear();
  await occupySlot(String(await readSelection(['--queue', 'mail,bulk'])));
  const held = await shop.add('tick', null, { queue: 'mail' });
  await shop.run(['--queue', 'bulk', '--queue', 'mail']);
  expect(await shop.job(held)).toMatchObject({ status: 'pending' });
  await shop.run(['--type', 'tick']);
  expect(await shop.job(held)).toMatchObject({ status: 'completed' });
});

/** What the ledger calls the selection of such a run. */
async function readSelection(args: string[]): Promise<unknown> {
  await shop.run(args);
  return (await readRun(shop))['selection'];
}
