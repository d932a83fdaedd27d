import { countJobs, endPauses } from './support/life';
import { openWorkshop, type Workshop } from './support/workshop';

// What a job's function leaves behind in its process, when it ends or before it, is no other job's fault.

let shop: Workshop;

beforeAll(async () => {
  shop = await openWorkshop('left-behind-jobs.js');
});

beforeEach(() => shop.clear());

const SUSPECT = { crashes: 1 };

test('process.exit in a getter of what was thrown, or in toJSON of what was returned, ends no process', async () => {
  const thrown = await shop.add('throw.exiting');
  const returned = await shop.add('return.exiting');
  const other = await shop.add('work');
  const { code, stderr } = await shop.run();
  expect(code).toBe(0);
  expect(stderr).toMatch(/^.*its result is not stored: .*process\.exit\(0\) was called by the job.*\n$/);
  expect(await shop.job(thrown)).toMatchObject({
    status: 'pending',
    attempts: 1,
    crashes: 0,
    last_error: 'a thrown object that cannot be put into words',
  });
  expect(await shop.job(returned)).toMatchObject({ status: 'completed', result: null });
  expect(await shop.job(other)).toMatchObject({ status: 'completed' });
});

test('a loop without end that begins when no job runs: the process is ended after a lease, its jobs run alone', async () => {
  const id = await shop.add('spin.later');
  const args = ['--lease', '1s', '--keep-alive', '10m'];
  const { signal, stderr } = await shop.run(args);
  expect(signal).toBe('SIGKILL');
  expect(stderr).toMatch(/^rowlock: the event loop is blocked for \d s, by what a job has left behind; .*\n$/);
  expect(await shop.rows('SELECT outcome FROM background_job_runs')).toEqual([{ outcome: 'error' }]);
  expect(await shop.run()).toMatchObject({ code: 0, stderr: '' });
  expect(await shop.job(id)).toMatchObject({ status: 'completed', attempts: 1 });
});

test('clocks that are put out of order: the run ends as it should', async () => {
  await shop.add('clocks');
  await shop.addMany(50, 'work');
  expect(await shop.run(['--keep-alive', '1s'])).toMatchObject({ code: 0, stderr: '' });
  expect(await countJobs(shop, `status = 'completed' AND attempts = 1`)).toBe(51);
});

describe('in the process of a suspect', () => {
  test('what ends it under another one fails none: the crash that would runs alone from the start', async () => {
    const victim = await shop.add('trapped', null, { ...SUSPECT, priority: 1 });
    for (const crashes of [2, 2]) {
      await shop.add('trap', null, SUSPECT);
      await shop.run(['--concurrency', '1']);
      expect(await shop.job(victim)).toMatchObject({ crashes, attempts: expect.any(Number) });
      await endPauses(shop);
    }
    expect(await shop.job(victim)).toMatchObject({ status: 'completed', crashes: 2, attempts: 1 });
    expect(shop.notes()).toEqual(['began', 'began']);
  });

  test('that does not start no crash is counted: nothing is known of the job', async () => {
    const id = await shop.add('work', null, SUSPECT);
    shop.openGate('broken');
    expect(await shop.run()).toMatchObject({ code: 0, stderr: expect.stringContaining('half deployed') });
    expect(await shop.job(id)).toMatchObject({ status: 'pending', crashes: 1, attempts: 0, last_error: null });
    const [pause] = await shop.rows('SELECT run_at > NOW(3) + INTERVAL 50 SECOND AS rests FROM background_jobs');
    expect(pause).toEqual({ rests: 1 });
  });

  test('that does not hear any more another one is started for the next', async () => {
    const deafening = await shop.add('deafen', null, SUSPECT);
    const next = await shop.add('work', null, SUSPECT);
    expect(await shop.run(['--concurrency', '1'])).toMatchObject({ code: 0, stderr: '' });
    for (const id of [deafening, next])
      expect(await shop.job(id)).toMatchObject({ status: 'completed', crashes: 1, attempts: 1 });
  });
});
