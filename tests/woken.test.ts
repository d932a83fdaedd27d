import { countJobs, expireLeases, readRun } from './support/life';
import { ANSWER_LATE, CUT_BEFORE, type Meddle, startProxy } from './support/proxy';
import { watchSessions } from './support/sessions';
import { until } from './support/until';
import { openWorkshop, type Workshop } from './support/workshop';

let shop: Workshop;

beforeAll(async () => {
  shop = await openWorkshop('fault-jobs.js');
});

beforeEach(() => shop.clear());

/** The answer to the first statement that matches waits. */
function late(matches: (sql: string, before: readonly string[]) => boolean): Meddle & { done: () => boolean } {
  let done = false;
  const meddle: Meddle = (sql, before) => {
    if (done || !matches(sql, before)) return sql;
    done = true;
    return ANSWER_LATE;
  };
  return Object.assign(meddle, { done: () => done });
}

const began = () => shop.notes().filter((line) => line.includes('began'));

test('a run that is frozen at the answer to its claim, and wakes when others have done its jobs, begins none of them', async () => {
  const ids = [await shop.add('work', 0), await shop.add('work', 0)];
  const meddle = late((sql, before) => sql === 'COMMIT' && (before.at(-1)?.includes('SET claimed = claimed') ?? false));
  const proxy = await startProxy(shop.db.urls.worker, meddle);
  const worker = shop.start(['--lease', '1s'], { DATABASE_URL: proxy.url });
  await until(async () => (await countJobs(shop, `status = 'running'`)) === 2, 'its claim is committed');
  worker.child.kill('SIGSTOP');
  const [frozen] = await shop.rows('SELECT NOW(3) AS since');
  proxy.answer();
  await expireLeases(shop);
  await shop.run();
  // By its own clock, too: others may have done its jobs before that, and then it begins them beside the new holder.
  await until(
    async () =>
      (await shop.rows('SELECT 1 FROM DUAL WHERE NOW(3) > ? + INTERVAL 1 SECOND', [frozen?.['since']])).length,
    'it is frozen for longer than its lease',
  );
  worker.child.kill('SIGCONT');
  const { code, stderr } = await worker.ended;
  expect({ code, stderr }).toEqual({ code: 75, stderr: expect.stringContaining('another run closed it') });
  expect(began()).toHaveLength(2);
  for (const id of ids) expect(await shop.job(id)).toMatchObject({ status: 'completed', attempts: 1, crashes: 1 });
  expect(await readRun(shop, worker.pid)).toMatchObject({ outcome: 'lost', claimed: 2, completed: 0, released: 0 });
});

test('a run that is frozen at the answer to its claim, and that nobody has closed, goes on with its jobs', async () => {
  const id = await shop.add('work', 0);
  const meddle = late((sql, before) => sql === 'COMMIT' && (before.at(-1)?.includes('SET claimed = claimed') ?? false));
  const proxy = await startProxy(shop.db.urls.worker, meddle);
  const worker = shop.start(['--lease', '1s'], { DATABASE_URL: proxy.url });
  await until(async () => (await countJobs(shop, `status = 'running'`)) === 1, 'its claim is committed');
  worker.child.kill('SIGSTOP');
  await expireLeases(shop);
  await until(
    async () => (await countJobs(shop, 'started_at < NOW(3) - INTERVAL 1 SECOND')) === 1,
    'it is frozen for longer than its lease',
  );
  proxy.answer();
  worker.child.kill('SIGCONT');
  const { code, stderr } = await worker.ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(began()).toHaveLength(1);
  expect(await shop.job(id)).toMatchObject({ status: 'completed', attempts: 1, crashes: 0 });
});

test('a run that was closed before it has a slot exits 75: it is not one of too many', async () => {
  const meddle = late((sql) => sql.startsWith('INSERT INTO background_job_runs'));
  const proxy = await startProxy(shop.db.urls.worker, meddle);
  const worker = shop.start([], { DATABASE_URL: proxy.url });
  await until(async () => (await shop.rows('SELECT 1 FROM background_job_runs')).length === 1, 'its row is there');
  await shop.db.pool.query(`UPDATE background_job_runs SET finished_at = NOW(3), outcome = 'lost'`);
  proxy.answer();
  const { code, stderr } = await worker.ended;
  expect({ code, stderr }).toEqual({ code: 75, stderr: expect.stringContaining('another run closed it') });
  expect(await readRun(shop, worker.pid)).toMatchObject({ outcome: 'lost', slot: null });
});

test('a run that another closes while it closes itself, its first try having got no answer, says so', async () => {
  const sessions = await watchSessions(shop.db);
  let cut = false;
  const proxy = await startProxy(shop.db.urls.worker, (sql) => {
    if (cut || !sql.includes('SET finished_at')) return sql;
    cut = true;
    return CUT_BEFORE;
  });
  const worker = shop.start(['--keep-alive', '1m', '--poll', '20ms'], { DATABASE_URL: proxy.url });
  await until(async () => (await readRun(shop, worker.pid))['slot'] === 0, 'the run waits for jobs');
  const rescue = await sessions.hold(
    `UPDATE background_job_runs SET finished_at = NOW(3), outcome = 'lost', slot = NULL WHERE pid = ?`,
    [worker.pid],
  );
  worker.child.kill('SIGTERM');
  await sessions.waitFor('SET finished_at');
  await rescue.commit();
  const { code, stderr } = await worker.ended;
  expect(cut).toBe(true);
  expect({ code, stderr }).toEqual({ code: 75, stderr: expect.stringContaining('another run closed it') });
  expect(await readRun(shop, worker.pid)).toMatchObject({ outcome: 'lost' });
});
