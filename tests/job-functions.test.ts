import { until } from './support/until';
import { openWorkshop, type Workshop } from './support/workshop';

let shop: Workshop;

beforeAll(async () => {
  shop = await openWorkshop('function-jobs.js');
});

beforeEach(() => shop.clear());

const noted = (what: string) =>
  until(() => shop.notes().some((line) => line.startsWith(what)), `the notes say: ${what}`);

const runs = () =>
  shop.rows('SELECT outcome, completed, retried, failed, released FROM background_job_runs ORDER BY started_at');

describe('a timeout', () => {
  test('aborts the function; one that honours its signal has failed, one that ends well all the same has completed', async () => {
    const id = await shop.add('brief', 'never');
    const done = await shop.add('brief.done');
    expect(await shop.run()).toMatchObject({ code: 0, stderr: '' });
    expect(await shop.job(id)).toMatchObject({ status: 'pending', attempts: 1, last_error: 'timed out after 150 ms' });
    expect(await shop.job(done)).toMatchObject({ status: 'completed', result: '"done all the same"' });
    expect(shop.notes()).toContain('never aborted: timed out after 150 ms');
  });

  test('that is ignored past the grace: the attempt fails, nothing more is claimed, the others may end', async () => {
    const deaf = await shop.add('deaf', 'hear');
    const other = await shop.add('wait', 'go');
    const worker = shop.start(['--grace', '200ms', '--keep-alive', '10m']);
    await noted('deaf began');
    await noted('go began');
    await until(async () => (await shop.job(deaf))['status'] === 'pending', 'the attempt is over');
    const later = await shop.add('wait', 'go');
    // Its end comes too late: an attempt is settled once.
    shop.openGate('hear');
    await noted('deaf ended');
    shop.openGate('go');
    const { code, stdout, stderr } = await worker.ended;
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    expect(stderr).toMatch(
      new RegExp(`^rowlock: job ${deaf} \\(deaf, attempt 1\\) still runs .* and is abandoned; honour ctx\\.signal\\n$`),
    );
    expect(await shop.job(deaf)).toMatchObject({
      attempts: 1,
      last_error: expect.stringMatching(/^timed out after 150 ms.*ignored/),
    });
    expect(await shop.job(other)).toMatchObject({ status: 'completed', attempts: 1 });
    expect(await shop.job(later)).toMatchObject({ status: 'pending', attempts: 0 });
    expect(await shop.rows('SELECT job_id FROM background_job_errors')).toEqual([{ job_id: deaf }]);
    expect(await runs()).toEqual([{ outcome: 'finished', completed: 1, retried: 1, failed: 0, released: 0 }]);
  });

  test('of a function that does not yield ends the process; afterwards it alone is charged', async () => {
    const spinner = await shop.add('spin', null, { priority: 1 });
    const innocent = await shop.add('wait', 'go');
    const args = ['--grace', '200ms', '--lease', '1s'];
    const ended = await shop.run(args);
    expect(ended).toMatchObject({ code: null, signal: 'SIGKILL', stdout: '' });
    expect(ended.stderr).toMatch(/^rowlock: the event loop is blocked for \d+ s, .*\n$/);
    expect(await runs()).toMatchObject([{ outcome: 'error' }]);

    shop.openGate('go');
    expect(await shop.run(args)).toMatchObject({ code: 0, stdout: '', stderr: '' });
    expect(await shop.job(innocent)).toMatchObject({ status: 'completed', attempts: 1, crashes: 1, last_error: null });
    expect(await shop.job(spinner)).toMatchObject({
      status: 'pending',
      attempts: 1,
      crashes: 1,
      last_error: expect.stringContaining('timed out after 300 ms'),
    });
  });
});

describe('a row that is changed while its function runs', () => {
  test.each([
    ['deleted', 'DELETE FROM background_jobs WHERE id = ?'],
    ['edited', `UPDATE background_jobs SET status = 'pending', run_at = '2037-01-01' WHERE id = ?`],
    ['taken by another run', 'UPDATE background_jobs SET run_id = 17, attempts = attempts + 1 WHERE id = ?'],
  ])('%s: the function is aborted, its outcome dropped with a warning', async (_how, sql) => {
    const id = await shop.add('wait', 'never');
    const worker = shop.start(['--lease', '1s']);
    await noted('never began');
    await shop.db.pool.query(sql, [id]);
    const before = await shop.rows('SELECT * FROM background_jobs');
    const { code, stdout, stderr } = await worker.ended;
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    expect(stderr).toMatch(
      new RegExp(
        `^rowlock: job ${id} \\(wait, attempt 1\\) was taken away while it ran .*; its outcome is dropped\\n$`,
      ),
    );
    expect(shop.notes()).toEqual(['never began', expect.stringMatching(/^never aborted: /)]);
    expect(await shop.rows('SELECT * FROM background_jobs')).toEqual(before);
    expect(await runs()).toEqual([{ outcome: 'finished', completed: 0, retried: 0, failed: 0, released: 0 }]);
  });

  test('to no attempt at all: it is aborted, put back as it is, and the run goes on', async () => {
    const id = await shop.add('wait', 'never');
    const worker = shop.start(['--lease', '1s', '--keep-alive', '10m']);
    await noted('never began');
    await shop.db.pool.query(`UPDATE background_jobs SET attempts = 0, job_type = 'wait.other' WHERE id = ?`, [id]);
    // In one look: the run claims it again at once, before it finds that nobody here knows its type.
    const back = await until(async () => {
      const row = await shop.job(id);
      return row['status'] === 'pending' ? row : undefined;
    }, 'it is back');
    expect(back).toMatchObject({ attempts: 0, crashes: 0, last_error: null });
    const other = await shop.add('wait', 'go');
    shop.openGate('go');
    await until(async () => (await shop.job(other))['status'] === 'completed', 'another one ends');
    worker.child.kill('SIGTERM');
    expect(await worker.ended).toMatchObject({ code: 0 });
  });

  test('and that ends before the next heartbeat: its outcome is dropped all the same', async () => {
    const id = await shop.add('wait', 'go');
    const worker = shop.start();
    await noted('go began');
    await shop.db.pool.query(`UPDATE background_jobs SET status = 'pending', run_at = '2037-01-01' WHERE id = ?`, [id]);
    shop.openGate('go');
    expect((await worker.ended).stderr).toMatch(
      /^rowlock: job \d+ \(wait, attempt 1\) was taken away while it ran .*\n$/,
    );
    expect(await shop.job(id)).toMatchObject({ status: 'pending', result: null });
  });
});

describe('a cancelled job', () => {
  test('is aborted at the next heartbeat and failed', async () => {
    const id = await shop.add('wait', 'never');
    const worker = shop.start(['--lease', '1s']);
    await noted('never began');
    await shop.rowlock(['cancel', String(id)]);
    await noted('never aborted: cancelled');
    expect(await worker.ended).toMatchObject({ code: 0 });
    expect(await shop.job(id)).toMatchObject({
      status: 'failed',
      attempts: 1,
      last_error: 'cancelled',
      cancelled_at: expect.any(Date),
    });
  });

  test('is no dead letter: nothing is printed, and --fail-on-error is content', async () => {
    const id = await shop.add('wait', 'never');
    const worker = shop.start(['--lease', '1s', '--fail-on-error']);
    await noted('never began');
    await shop.rowlock(['cancel', String(id)]);
    expect(await worker.ended).toEqual({ code: 0, signal: null, stdout: '', stderr: '' });
  });

  test('that completes before anybody looks is completed', async () => {
    const id = await shop.add('wait', 'go');
    const worker = shop.start();
    await noted('go began');
    const renewed = 'SELECT id FROM background_job_runs WHERE lease_expires_at > started_at + INTERVAL 60 SECOND';
    await until(
      async () => (await shop.rows(renewed)).length > 0,
      'the heartbeat has begun, and looks a third of a lease later',
    );
    await shop.rowlock(['cancel', String(id)]);
    shop.openGate('go');
    expect(await worker.ended).toMatchObject({ code: 0, stderr: '' });
    expect(await shop.job(id)).toMatchObject({ status: 'completed' });
  });
});
