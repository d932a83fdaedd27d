import type { Running } from './support/rowlock';
import { until } from './support/until';
import { openWorkshop, type Workshop } from './support/workshop';

const RUNS = 8;
/** Of each run, its default. */
const CONCURRENCY = 10;
const SLOTS = RUNS * CONCURRENCY;

let shop: Workshop;

beforeAll(async () => {
  shop = await openWorkshop('run-jobs.js');
});

beforeEach(() => shop.clear());

const SILENT_SUCCESS = { code: 0, signal: null, stdout: '', stderr: '' };

const startRuns = (args: string[] = []): Running[] =>
  Array.from({ length: RUNS }, () => shop.start(['--max-runs', String(RUNS), ...args]));

/** All at once, as far as there are slots: none of these jobs ends before the gate is open. */
async function allBegin(): Promise<void> {
  const begun = () => shop.notes().filter((line) => line === 'door began').length;
  await until(() => begun() >= SLOTS, 'as many jobs run as there are slots', {
    deadlineMs: 30_000,
  });
}

/** How many jobs each run has in hand. */
const readHeld = async (): Promise<number[]> => {
  const rows = await shop.rows(`SELECT COUNT(*) AS n FROM background_jobs WHERE status = 'running' GROUP BY run_id`);
  return rows.map(({ n }) => Number(n));
};

describe(`${RUNS} runs share ${SLOTS} slow jobs evenly:`, () => {
  test('all run at once, as many in each', async () => {
    await shop.addMany(SLOTS, 'gated', 'door');
    const runs = startRuns();
    await allBegin();
    expect(await readHeld()).toEqual(Array(RUNS).fill(CONCURRENCY));
    shop.openGate('door');
    for (const { ended } of runs) expect(await ended).toEqual(SILENT_SUCCESS);
    expect(await shop.rows('SELECT claimed, completed, released FROM background_job_runs')).toEqual(
      Array(RUNS).fill({ claimed: CONCURRENCY, completed: CONCURRENCY, released: 0 }),
    );
  }, 60_000);

  test('also behind fast ones, by which each run has taken to claiming more than it can start', async () => {
    const runs = startRuns(['--keep-alive', '10m']);
    const taken = async () => (await shop.rows('SELECT id FROM background_job_runs WHERE slot IS NOT NULL')).length;
    await until(async () => (await taken()) === RUNS, 'every run has its slot', { deadlineMs: 30_000 });
    const row = (type: string, payload: string | null) => [type, payload];
    await shop.db.producer.query('INSERT INTO background_jobs (job_type, payload) VALUES ?', [
      [...Array(4_000).fill(row('echo', null)), ...Array(SLOTS).fill(row('gated', '"door"'))],
    ]);
    await allBegin();
    shop.openGate('door');
    const left = async () => (await shop.rows(`SELECT id FROM background_jobs WHERE status <> 'completed'`)).length;
    await until(async () => (await left()) === 0, 'all of them end');
    for (const { child } of runs) child.kill('SIGTERM');
    for (const { ended } of runs) expect(await ended).toEqual(SILENT_SUCCESS);
  }, 90_000);
});
