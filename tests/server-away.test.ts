import { expireLeases, readRun } from './support/life';
import { PASS, startProxy, type Proxy as TestProxy } from './support/proxy';
import type { Running } from './support/rowlock';
import { until } from './support/until';
import { openWorkshop, type Workshop } from './support/workshop';

let shop: Workshop;
let proxy: TestProxy;

beforeAll(async () => {
  shop = await openWorkshop('fault-jobs.js');
});

beforeEach(async () => {
  await shop.clear();
  proxy = await startProxy(shop.db.urls.worker, PASS);
});

/** A run whose server can go away. It tells when it waits. */
const start = (args: string[] = []): Running => shop.start(args, { DATABASE_URL: proxy.url, LOG_LEVEL: 'info' });

const events = (worker: Running) =>
  worker
    .stderr()
    .trimEnd()
    .split('\n')
    .flatMap((line) => /"event":"([^"]+)"/.exec(line)?.[1] ?? []);

const noted = (line: string) => until(() => shop.notes().includes(line), `a note: ${line}`);

const waits = (worker: Running) => until(() => events(worker).includes('run.waiting'), 'the run says that it waits');

test('what ended while the server was away is kept, and written when it is back', async () => {
  const doors = [await shop.add('gated', 'door'), await shop.add('gated', 'door')];
  const worker = start();
  await noted('door began');
  await proxy.goAway();
  shop.openGate('door');
  await waits(worker);
  for (const id of doors) expect(await shop.job(id)).toMatchObject({ status: 'running' });
  await proxy.comeBack();
  expect(await worker.ended).toMatchObject({ code: 0, signal: null, stdout: '' });
  for (const id of doors) expect(await shop.job(id)).toMatchObject({ status: 'completed', attempts: 1, crashes: 0 });
  expect(shop.notes().filter((line) => line.endsWith('began'))).toHaveLength(2);
  expect(await readRun(shop)).toMatchObject({ outcome: 'finished', claimed: 2, completed: 2 });
});

test('a run that waits for jobs goes on claiming when the server is back', async () => {
  const worker = start(['--keep-alive', '1m', '--poll', '20ms']);
  const looks = () => proxy.seen.filter((sql) => sql.includes('background_job_queues')).length;
  await until(() => looks() > 1, 'the run has looked for jobs, and looks again');
  await proxy.goAway();
  await waits(worker);
  const id = await shop.add('work', 0);
  await proxy.comeBack();
  await until(async () => (await shop.job(id))['status'] === 'completed', 'the job is completed');
  worker.child.kill('SIGTERM');
  expect(await worker.ended).toMatchObject({ code: 0, signal: null });
  expect(await readRun(shop)).toMatchObject({ outcome: 'stopped', claimed: 1, completed: 1 });
});

test('when it stays away for five leases a run aborts its functions and exits 75; another does its jobs', async () => {
  const swallowing = await startProxy(shop.db.urls.worker, PASS);
  const ids = [
    await shop.add('gated', 'door', { queue: 'away' }),
    await shop.add('gated', 'gate', { queue: 'swallowed' }),
  ];
  const workers = [
    shop.start(['--lease', '1s', '--queue', 'away'], { DATABASE_URL: proxy.url }),
    shop.start(['--lease', '1s', '--queue', 'swallowed'], { DATABASE_URL: swallowing.url }),
  ];
  await noted('door began');
  await noted('gate began');
  await proxy.goAway();
  swallowing.swallow();
  for (const worker of workers) {
    const { code, stderr } = await worker.ended;
    expect({ code, stderr }).toEqual({ code: 75, stderr: expect.stringContaining('has not answered for 5 leases') });
  }
  expect(shop.notes()).toEqual(expect.arrayContaining(['door aborted', 'gate aborted']));
  for (const id of ids) expect(await shop.job(id)).toMatchObject({ status: 'running', attempts: 1 });

  await expireLeases(shop);
  shop.openGate('door');
  shop.openGate('gate');
  expect(await shop.run()).toEqual({ code: 0, signal: null, stdout: '', stderr: '' });
  for (const id of ids) expect(await shop.job(id)).toMatchObject({ status: 'completed', attempts: 1, crashes: 1 });
});

test('a server that is away from the start is one line, and exit code 69', async () => {
  await proxy.goAway();
  const ended = await shop.run([], { DATABASE_URL: proxy.url });
  expect(ended).toMatchObject({ code: 69, stdout: '' });
  expect(ended.stderr).toMatch(/^rowlock: the database server at 127\.0\.0\.1:\d+ does not answer .*\n$/);
});
