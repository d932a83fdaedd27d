import { countJobs, readRun } from './support/life';
import { ANSWER_LATE, CUT_AFTER, CUT_BEFORE, type Meddle, startProxy } from './support/proxy';
import { until } from './support/until';
import { openWorkshop, type Workshop } from './support/workshop';

let shop: Workshop;

beforeAll(async () => {
  shop = await openWorkshop('fault-jobs.js');
  await shop.db.pool.query('CREATE TABLE effects (id INT AUTO_INCREMENT PRIMARY KEY, n INT)');
  await shop.db.users.allow('worker', 'INSERT', 'effects');
  await shop.db.pool.query('CREATE TABLE gates (name VARCHAR(20) PRIMARY KEY, passed INT NOT NULL DEFAULT 0)');
  await shop.db.users.allow('worker', 'SELECT, UPDATE', 'gates');
  await shop.db.pool.query(`INSERT INTO gates (name) VALUES ('gate')`);
});

beforeEach(async () => {
  await shop.clear();
  await shop.db.pool.query('DELETE FROM effects');
});

const SILENT_SUCCESS = { code: 0, signal: null, stdout: '', stderr: '' };

const HOW = [
  ['before the server gets it', CUT_BEFORE],
  ['after the server did it', CUT_AFTER],
] as const;

type Cut = (typeof HOW)[number][1] | typeof ANSWER_LATE;

/** Ends the connection at the first COMMIT of a transaction that has sent this. */
function cutCommit(marker: string, how: Cut, onCut: () => void = () => undefined): Meddle & { done: () => boolean } {
  let done = false;
  const meddle: Meddle = (sql, before) => {
    const since = before.slice(before.lastIndexOf('START TRANSACTION'));
    if (done || sql !== 'COMMIT' || !since.some((earlier) => earlier.includes(marker))) return sql;
    done = true;
    onCut();
    return how;
  };
  return Object.assign(meddle, { done: () => done });
}

/** A run whose connection is cut so. */
async function runCut(meddle: Meddle & { done: () => boolean }, args: string[] = []) {
  const { url } = await startProxy(shop.db.urls.worker, meddle);
  const ended = await shop.run(args, { DATABASE_URL: url });
  expect(meddle.done()).toBe(true);
  return ended;
}

/** What the run says that it did with all that it claimed. */
async function readLedger() {
  const { outcome, claimed, completed, retried, failed, released } = await readRun(shop);
  expect(claimed).toBe(Number(completed) + Number(retried) + Number(failed) + Number(released));
  return { outcome, completed, retried, failed };
}

const began = () => shop.notes().filter((line) => line.includes('began'));

describe.each(HOW)('the connection ends at a COMMIT, %s', (_when, how) => {
  test('of a claim: each job is run once, with no attempt charged for what was not run', async () => {
    await shop.addMany(30, 'work', 0);
    expect(await runCut(cutCommit('SET claimed', how))).toEqual(SILENT_SUCCESS);
    expect(await countJobs(shop, `status = 'completed' AND attempts = 1 AND crashes = 0`)).toBe(30);
    expect(began()).toHaveLength(30);
    expect(await readLedger()).toEqual({ outcome: 'finished', completed: 30, retried: 0, failed: 0 });
  });

  test('of a claim with which the run ends: nothing is left running, and nobody becomes a suspect', async () => {
    await shop.addMany(30, 'work', 0);
    const { url } = await startProxy(
      shop.db.urls.worker,
      cutCommit('SET claimed', how, () => worker.child.kill('SIGTERM')),
    );
    const worker = shop.start([], { DATABASE_URL: url });
    expect(await worker.ended).toEqual(SILENT_SUCCESS);
    expect(await countJobs(shop, `status = 'running' OR crashes > 0`)).toBe(0);
    expect(await readLedger()).toMatchObject({ outcome: 'stopped' });
    expect(await shop.run()).toEqual(SILENT_SUCCESS);
    expect(await countJobs(shop, `status = 'completed' AND attempts = 1 AND crashes = 0`)).toBe(30);
    expect(began()).toHaveLength(30);
  });

  test('of a claim of one job by its id: it is given back, and can be run again', async () => {
    const id = await shop.add('work', 0);
    const ended = await runCut(cutCommit('SET claimed', how), ['--id', String(id)]);
    expect(ended.code).not.toBe(0);
    expect(await shop.job(id)).toMatchObject({ status: 'pending', attempts: 0, crashes: 0 });
    expect(await shop.run(['--id', String(id)])).toEqual(SILENT_SUCCESS);
    expect(began()).toHaveLength(1);
  });

  test('of a settle: each job is completed once, and counted once', async () => {
    await shop.addMany(30, 'work', 0);
    expect(await runCut(cutCommit('SET completed', how))).toEqual(SILENT_SUCCESS);
    expect(await countJobs(shop, `status = 'completed' AND attempts = 1 AND crashes = 0`)).toBe(30);
    expect(began()).toHaveLength(30);
    expect(await readLedger()).toEqual({ outcome: 'finished', completed: 30, retried: 0, failed: 0 });
  });

  test('of a settle of failures: one line of history each, one attempt, and the pause', async () => {
    await shop.addMany(5, 'retry', 3_600_000);
    expect(await runCut(cutCommit('SET completed', how))).toEqual(SILENT_SUCCESS);
    expect(await countJobs(shop, `status = 'pending' AND attempts = 1 AND run_at > NOW(3)`)).toBe(5);
    expect(await shop.rows('SELECT COUNT(*) AS n FROM background_job_errors')).toEqual([{ n: 5 }]);
    expect(await readLedger()).toEqual({ outcome: 'finished', completed: 0, retried: 5, failed: 0 });
  });

  test('of ctx.save: the checkpoint and what was written with it are there, once', async () => {
    const id = await shop.add('save', 'gate');
    expect(await runCut(cutCommit('saves = saves + 1', how))).toEqual(SILENT_SUCCESS);
    expect(await shop.job(id)).toMatchObject({ status: 'completed', attempts: 1, saves: 1, result: '"saved"' });
    expect(await shop.rows('SELECT n FROM effects')).toEqual([{ n: 1 }]);
    expect(await readLedger()).toMatchObject({ completed: 1 });
  });

  test('of ctx.complete: the completion and what was written with it are there, once', async () => {
    const id = await shop.add('complete', 'gate');
    expect(await runCut(cutCommit('INSERT INTO effects', how))).toEqual(SILENT_SUCCESS);
    expect(await shop.job(id)).toMatchObject({ status: 'completed', attempts: 1, crashes: 0 });
    expect(await shop.rows('SELECT n FROM effects')).toEqual([{ n: 1 }]);
    expect(await readLedger()).toMatchObject({ completed: 1 });
  });

  test('of ctx.save, and no further connection is had for a while: nothing that it writes is lost or there twice', async () => {
    const id = await shop.add('save.twice');
    const proxy = await startProxy(
      shop.db.urls.worker,
      cutCommit('saves = saves + 1', how, () => proxy.refuse()),
    );
    const worker = shop.start([], { DATABASE_URL: proxy.url });
    await until(() => proxy.refused() > 5, 'the save is tried again and again');
    await proxy.comeBack();
    expect(await worker.ended).toEqual(SILENT_SUCCESS);
    expect(await shop.job(id)).toMatchObject({ status: 'completed', attempts: 1, saves: 2, checkpoint: '"second"' });
    expect(await shop.rows('SELECT n FROM effects ORDER BY id')).toEqual([{ n: 1 }, { n: 2 }]);
  });
});

test('a claim whose answer takes longer than some heartbeats keeps its jobs, and runs them once', async () => {
  await shop.addMany(5, 'work', 0);
  const proxy = await startProxy(shop.db.urls.worker, cutCommit('SET claimed', ANSWER_LATE));
  const worker = shop.start(['--lease', '1s'], { DATABASE_URL: proxy.url });
  const looks = () => proxy.seen.filter((sql) => sql.includes('AS cancelled')).length;
  await until(() => looks() > 4, 'the run has compared what it holds, again and again');
  expect(await countJobs(shop, `status = 'running'`)).toBe(5);
  proxy.answer();
  expect(await worker.ended).toEqual(SILENT_SUCCESS);
  expect(began()).toHaveLength(5);
  expect(await countJobs(shop, `status = 'completed' AND attempts = 1`)).toBe(5);
  expect(await readRun(shop)).toMatchObject({ claimed: 5, completed: 5, released: 0 });
});

test('a run whose closing got no answer has closed itself, and did not lose its lease', async () => {
  const id = await shop.add('work', 0);
  let cut = false;
  const { url } = await startProxy(shop.db.urls.worker, (sql) => {
    if (cut || !sql.includes('SET finished_at')) return sql;
    cut = true;
    return CUT_AFTER;
  });
  expect(await shop.run([], { DATABASE_URL: url })).toEqual(SILENT_SUCCESS);
  expect(cut).toBe(true);
  expect(await shop.job(id)).toMatchObject({ status: 'completed' });
  expect(await readRun(shop)).toMatchObject({ outcome: 'finished', completed: 1 });
});
