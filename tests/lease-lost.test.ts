import { readRun } from './support/life';
import { until } from './support/until';
import { openWorkshop, type Workshop } from './support/workshop';

let shop: Workshop;

beforeAll(async () => {
  shop = await openWorkshop('fault-jobs.js');
});

beforeEach(() => shop.clear());

const noted = (line: string) => until(() => shop.notes().includes(line), `a note: ${line}`);

/** As another run does that finds the lease expired. The heartbeat is a quarter of a lease away: it does not tell. */
const closeRuns = () =>
  shop.db.pool.query(`UPDATE background_job_runs SET finished_at = NOW(3), outcome = 'lost', slot = NULL`);

describe('a run that another has closed aborts its functions, changes nothing and exits 75', () => {
  test.each([
    ['when it claims', () => shop.add('work', 0)],
    ['when it settles', () => Promise.resolve(shop.openGate('quick'))],
  ])('%s', async (_when, act) => {
    const slow = await shop.add('gated', 'slow');
    const quick = await shop.add('gated', 'quick');
    const worker = shop.start(['--keep-alive', '1m', '--poll', '20ms']);
    await noted('slow began');
    await noted('quick began');
    await closeRuns();
    await act();
    const { code, stderr } = await worker.ended;
    expect({ code, stderr }).toEqual({ code: 75, stderr: expect.stringContaining('lost its lease') });
    expect(shop.notes()).toContain('slow aborted');
    for (const id of [slow, quick]) expect(await shop.job(id)).toMatchObject({ status: 'running', attempts: 1 });
    expect(await readRun(shop)).toMatchObject({ outcome: 'lost', completed: 0, released: 0 });
  });
});

test('a claim that the server refuses ends the run; what it holds is given back, and nobody becomes a suspect', async () => {
  const id = await shop.add('gated', 'door');
  const worker = shop.start(['--keep-alive', '1m', '--poll', '20ms']);
  await noted('door began');
  await shop.db.pool.query('ALTER TABLE background_job_queues RENAME COLUMN paused_at TO paused_since');
  try {
    const { code, stderr } = await worker.ended;
    expect(code).toBe(78);
    expect(stderr.trimEnd().split('\n')).toEqual([expect.stringContaining('paused_at')]);
  } finally {
    await shop.db.pool.query('ALTER TABLE background_job_queues RENAME COLUMN paused_since TO paused_at');
  }
  expect(shop.notes()).toEqual(['door began', 'door aborted']);
  expect(await shop.job(id)).toMatchObject({ status: 'pending', attempts: 0, crashes: 0 });
  expect(await readRun(shop)).toMatchObject({ outcome: 'error', claimed: 1, released: 1 });
});
