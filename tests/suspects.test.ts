import { hostname } from 'node:os';
import { countJobs, expireLeases, isAlive, readRun } from './support/life';
import { until } from './support/until';
import { openWorkshop, type Workshop } from './support/workshop';

let shop: Workshop;

beforeAll(async () => {
  shop = await openWorkshop('fault-jobs.js');
});

beforeEach(() => shop.clear());

/** As the rescue of a dead run has left it. */
const addSuspect = (type: string, payload?: unknown) => shop.add(type, payload, { crashes: 1 });

const pids = () => new Set(shop.notes().map((line) => / in (\d+)$/.exec(line)?.[1]));

test('suspects run one after the other in one process, which is not the run’s', async () => {
  for (let i = 0; i < 20; i++) await addSuspect('work', 0);
  const worker = shop.start(['--concurrency', '1']);
  expect(await worker.ended).toMatchObject({ code: 0, stderr: '' });
  expect(await countJobs(shop, `status = 'completed' AND attempts = 1 AND crashes = 1`)).toBe(20);
  expect(pids().size).toBe(1);
  expect(pids()).not.toContain(String(worker.pid));
});

test.each([
  ['SIGABRT, as out of memory', 'abort', undefined, 'by SIGABRT'],
  ['SIGKILL', 'die', 'SIGKILL', 'by SIGKILL'],
  ['an exit that nothing stops', 'exit.really', undefined, 'with exit code 7'],
])(
  'a suspect that ends its process by %s is counted a crash, and takes no other along',
  async (_how, type, payload, words) => {
    const guilty = await addSuspect(type, payload);
    for (let i = 0; i < 5; i++) await addSuspect('work', 20);
    // Node itself may print the stack of an abort.
    expect(await shop.run(['--concurrency', '2'])).toMatchObject({ code: 0, signal: null, stdout: '' });
    const { id: runId } = await readRun(shop);
    const job = await shop.job(guilty);
    expect(job).toMatchObject({ status: 'pending', crashes: 2, attempts: 0 });
    expect(job['last_error']).toContain(`run ${runId} on ${hostname()}`);
    expect(job['last_error']).toContain(words);
    expect(await countJobs(shop, `status = 'completed' AND attempts = 1 AND crashes = 1`)).toBe(5);
    const [pause] = await shop.rows(
      'SELECT run_at > NOW(3) + INTERVAL 10 SECOND AS backs_off FROM background_jobs WHERE id = ?',
      [guilty],
    );
    expect(pause).toEqual({ backs_off: 1 });
  },
);

test('process.exit within a suspect fails its attempt and ends no process', async () => {
  const id = await addSuspect('exit');
  expect(await shop.run()).toEqual({ code: 0, signal: null, stdout: '', stderr: '' });
  const job = await shop.job(id);
  expect(job).toMatchObject({ status: 'pending', crashes: 1, attempts: 1 });
  expect(job['last_error']).toContain('process.exit(3)');
});

test.each([
  ['spins', 'spin', undefined],
  ['waits', 'work', 600_000],
])('the process of a suspect that %s ends when the run is killed', async (_what, type, payload) => {
  const id = await addSuspect(type, payload);
  const worker = shop.start();
  const [pid] = await until(() => pids().size > 0 && [...pids()], 'the suspect runs');
  worker.child.kill('SIGKILL');
  await worker.ended;
  await until(() => !isAlive(Number(pid)), `process ${pid} has ended with its parent`);
  expect(await shop.job(id)).toMatchObject({ status: 'running', crashes: 1, attempts: 1 });
});

test('a suspect whose run died is put back with no further crash: nobody knows who did it', async () => {
  const id = await addSuspect('work', 600_000);
  const worker = shop.start();
  await until(() => shop.notes().length === 1, 'the suspect runs');
  worker.child.kill('SIGKILL');
  await worker.ended;
  await expireLeases(shop);
  await shop.db.pool.query(`UPDATE background_jobs SET payload = '0'`);
  await shop.run();
  expect(await shop.job(id)).toMatchObject({ status: 'completed', crashes: 1, attempts: 1 });
});
