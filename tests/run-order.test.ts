import { until } from './support/until';
import { openWorkshop, type Workshop } from './support/workshop';

let shop: Workshop;

beforeAll(async () => {
  shop = await openWorkshop('run-jobs.js');
});

beforeEach(() => shop.clear());

const ONE_AT_A_TIME = ['--concurrency', '1'];

const completed = async (): Promise<number> => {
  const [row] = await shop.rows(`SELECT COUNT(*) AS n FROM background_jobs WHERE status = 'completed'`);
  return Number(row?.['n']);
};

describe('the order of jobs', () => {
  test('within a queue the lower priority number runs sooner, and then the older run_at', async () => {
    await shop.add('note', 'third', { priority: 5, run_at: '2020-01-01' });
    await shop.add('note', 'second', { priority: 0, run_at: '2021-01-01' });
    await shop.add('note', 'first', { priority: -3, run_at: '2022-01-01' });
    await shop.add('note', 'fourth', { priority: 5, run_at: '2020-01-02' });
    await shop.run(ONE_AT_A_TIME);
    expect(shop.notes()).toEqual(['first', 'second', 'third', 'fourth']);
  });

  test('queues take turns, so that none starves another by its name', async () => {
    for (let i = 0; i < 8; i++) await shop.add('note', 'a', { queue: 'a' });
    await shop.add('note', 'b', { queue: 'b' });
    await shop.add('note', 'z', { queue: 'z' });
    await shop.run(['--concurrency', '1', '--max-jobs', '4']);
    expect(new Set(shop.notes())).toEqual(new Set(['a', 'b', 'z']));
  });

  test('--queue serves these alone, in the order given', async () => {
    for (const queue of ['a', 'b', 'c', 'b']) await shop.add('note', queue, { queue });
    await shop.run([...ONE_AT_A_TIME, '--queue', 'c,b']);
    expect(shop.notes()).toEqual(['c', 'b', 'b']);
  });

  test('--type takes these types alone, from behind others', async () => {
    for (let i = 0; i < 30; i++) await shop.add('echo', i, { run_at: '2020-01-01' });
    await shop.add('note', 'one');
    await shop.add('cat', 'two');
    await shop.run(['--type', 'note', '--type', 'cat']);
    const rows = await shop.rows(
      'SELECT job_type, status, attempts, COUNT(*) AS n FROM background_jobs GROUP BY 1, 2, 3',
    );
    expect(rows).toHaveLength(3);
    expect(rows).toEqual(
      expect.arrayContaining([
        { job_type: 'echo', status: 'pending', attempts: 0, n: 30 },
        { job_type: 'note', status: 'completed', attempts: 1, n: 1 },
        { job_type: 'cat', status: 'completed', attempts: 1, n: 1 },
      ]),
    );
  });

  test('--max-jobs takes this many and leaves the rest', async () => {
    for (let i = 0; i < 9; i++) await shop.add('note', i);
    await shop.run(['--max-jobs', '5']);
    expect(shop.notes()).toHaveLength(5);
    expect(
      await shop.rows('SELECT status, SUM(attempts) AS attempts FROM background_jobs GROUP BY status ORDER BY 1'),
    ).toEqual([
      { status: 'pending', attempts: '0' },
      { status: 'completed', attempts: '5' },
    ]);
  });
});

describe('--keep-alive', () => {
  test('an idle run takes a job that comes later, and ends in time', async () => {
    const run = shop.start(['--keep-alive', '2s', '--poll', '50ms']);
    await until(
      () => shop.rows('SELECT id FROM background_job_runs WHERE slot IS NOT NULL').then(([row]) => row),
      'the run has a slot',
    );
    await shop.add('note', 'late');
    await until(() => shop.notes().includes('late'), 'the job ran', { deadlineMs: 2_000 });
    expect(run.child.exitCode).toBeNull();
    expect(await run.ended).toMatchObject({ code: 0, stderr: '' });
    expect(await completed()).toBe(1);
  });
});

describe('a paused queue', () => {
  test('is not served until it is resumed', async () => {
    await shop.add('note', 'paused', { queue: 'mail' });
    await shop.add('note', 'other');
    await shop.rowlock(['pause', 'mail']);
    await shop.run();
    await shop.run(['--queue', 'mail']);
    expect(shop.notes()).toEqual(['other']);
    await shop.rowlock(['resume', 'mail']);
    await shop.run();
    expect(shop.notes()).toEqual(['other', 'paused']);
  });

  test('a pause takes effect within a run, and so does a resume', async () => {
    const run = shop.start(['--keep-alive', '60s', '--poll', '50ms']);
    const ended = async (id: number) => (await shop.job(id))['status'] === 'completed';
    const first = await shop.add('note', 'before', { queue: 'mail' });
    await until(() => ended(first), 'the run serves the queue');
    await shop.rowlock(['pause', 'mail']);
    const left = await until(
      async () => {
        const mail = await shop.add('note', 'mail', { queue: 'mail' });
        const other = await shop.add('note', 'other');
        await until(() => ended(other), 'the other queue is served');
        return (await ended(mail)) ? undefined : mail;
      },
      'a job of the paused queue is left',
      { deadlineMs: 3_000 },
    );
    await shop.rowlock(['resume', 'mail']);
    await until(() => ended(left), 'it ran after the resume', { deadlineMs: 3_000 });
    run.child.kill('SIGTERM');
    expect(await run.ended).toMatchObject({ code: 0, stderr: '' });
  });
});
