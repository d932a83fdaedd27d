import { completedRows } from '../src/doctor/completed-rows';
import { ask, diagnose, listTrouble } from './support/doctor';
import { type DoctorBench, openDoctorBench } from './support/doctor-bench';
import { insertJob, insertRow } from './support/rows';

let bench: DoctorBench;

beforeAll(async () => {
  bench = await openDoctorBench();
});

beforeEach(() => bench.clear());

describe('runs', () => {
  test('there was none', async () => {
    await bench.sql('DELETE FROM background_job_runs');
    const { runs } = await diagnose(bench.db.url);
    expect(runs).toMatchObject({ state: 'fault', detail: 'there was no run yet' });
  });

  test('have stopped coming, unless one is still at work', async () => {
    await bench.sql('DELETE FROM background_job_runs');
    const id = await bench.aRun(600);
    expect((await diagnose(bench.db.url))['runs']).toEqual({
      state: 'fault',
      detail: 'no run for 10 min',
      mend: 'see whether cron runs, and has the line: crontab -l',
    });
    await bench.sql(
      'UPDATE background_job_runs SET finished_at = NULL, lease_expires_at = NOW(3) + INTERVAL 1 MINUTE WHERE id = ?',
      [id],
    );
    expect((await diagnose(bench.db.url))['runs']).toMatchObject({ state: 'ok' });
  });

  test('come each minute from several hosts', async () => {
    for (let minute = 1; minute < 70; minute++) await bench.aRun(minute * 60 + 5);
    await bench.aRun(30, { host: 'web2' });
    const { runs } = await diagnose(bench.db.url);
    expect(runs).toMatchObject({
      state: 'ok',
      detail: expect.stringMatching(/^the last 1\d s ago; in an hour \d\d on web1, 1 on web2$/),
    });
  });

  test('left out a while', async () => {
    for (const minute of [1, 2, 3, 27, 28, 45, 46]) await bench.aRun(minute * 60);
    const { runs } = await diagnose(bench.db.url);
    expect(runs).toEqual({
      state: 'warning',
      detail: expect.stringMatching(/^no run began for 24 min, from [\d-]+ \d\d:\d\dZ to [\d-]+ \d\d:\d\dZ$/),
      mend: expect.stringContaining('each minute'),
    });
  });

  test('left out a while that began more than an hour ago', async () => {
    for (const minute of [1, 2, 3, 4, 200]) await bench.aRun(minute * 60);
    expect((await diagnose(bench.db.url))['runs']).toMatchObject({
      state: 'warning',
      detail: expect.stringContaining('no run began for 3 h'),
    });
  });
});

describe('jobs', () => {
  const due = (queue: string, minutes: number) =>
    bench.sql(
      "INSERT INTO background_jobs (job_type, queue, run_at) VALUES ('test.echo', ?, NOW(3) - INTERVAL ? MINUTE)",
      [queue, minutes],
    );

  test('that are due for long: nobody takes them', async () => {
    await due('mail', 25);
    expect((await diagnose(bench.db.url))['waiting']).toEqual({
      state: 'warning',
      detail: 'due for long: 1 in queue mail, the oldest for 25 min',
      mend: expect.stringContaining('none of them is being started'),
    });
  });

  test('that are due for long: there are too many', async () => {
    await due('mail', 25);
    const runId = await bench.aRun(1);
    await bench.sql(
      "INSERT INTO background_jobs (job_type, queue, status, started_at, run_id) VALUES ('test.echo', 'mail', 'running', NOW(3), ?)",
      [runId],
    );
    expect((await diagnose(bench.db.url))['waiting']).toMatchObject({
      state: 'warning',
      mend: expect.stringContaining('--concurrency'),
    });
  });

  test('of a paused queue wait because somebody wants it', async () => {
    await due('mail', 25);
    await due('default', 5);
    await insertRow(bench.db, 'background_job_queues', { queue: 'mail', paused_at: new Date() });
    expect((await diagnose(bench.db.url))['waiting']).toEqual({
      state: 'ok',
      detail: '1 due; paused: mail',
      mend: null,
    });
  });

  test('of an older script are named', async () => {
    for (let n = 0; n < 12; n++) await insertJob(bench.db, { status: 'running' });
    const [rows] = await bench.db.pool.query('SELECT id FROM background_jobs ORDER BY id LIMIT 10');
    const ids = (rows as { id: number }[]).map(({ id }) => id);
    expect(listTrouble(await diagnose(bench.db.url))).toEqual({
      'unheld-rows': {
        state: 'warning',
        detail: `12 running rows are held by no run but by an older script: ${ids.join(', ')} …`,
        mend: `once that script has ended for good: rowlock retry ${ids.join(' ')}`,
      },
    });
  });

  test('whose run is over, silent or gone are named, once a run should have put them back', async () => {
    const over = await bench.aRun(300);
    const silent = await bench.aRun(300);
    const fresh = await bench.aRun(20);
    await bench.sql(
      'UPDATE background_job_runs SET finished_at = NULL, lease_expires_at = NOW(3) - INTERVAL 4 MINUTE WHERE id = ?',
      [silent],
    );
    const held = (run_id: number) =>
      insertJob(bench.db, { status: 'running', run_id, started_at: new Date(Date.now() - 3_600_000) });
    await held(fresh);
    expect((await diagnose(bench.db.url))['stranded-rows']).toMatchObject({ state: 'ok' });
    const ids = [await held(over), await held(silent), await held(987_654_321)];
    expect((await diagnose(bench.db.url))['stranded-rows']).toEqual({
      state: 'warning',
      detail: `running, but their run has ended or is silent: ${ids.join(', ')}`,
      mend: expect.stringContaining('rowlock run'),
    });
  });

  test('of a type that no worker knows', async () => {
    await bench.sql(
      "INSERT INTO background_jobs (job_type, run_id, started_at, run_at) VALUES ('nobody.knows', 1, NOW(3), NOW(3) + INTERVAL 1 MINUTE)",
    );
    expect((await diagnose(bench.db.url))['unknown-types']).toEqual({
      state: 'warning',
      detail: 'no worker knows nobody.knows (1 job)',
      mend: 'deploy the type, or name its file with --jobs or ROWLOCK_JOBS',
    });
  });

  test('that were completed and that nobody prunes', async () => {
    for (const queue of ['default', 'mail', 'mail']) await insertJob(bench.db, { status: 'completed', queue });
    expect(await ask(bench.db.url, completedRows(3))).toEqual({
      state: 'warning',
      detail: '3 or more are kept, and nothing deletes them',
      mend: 'set ROWLOCK_PRUNE=14d, or call rowlock prune',
    });
    expect(await ask(bench.db.url, completedRows(4))).toMatchObject({ state: 'ok', detail: '3' });
    const pruned = await ask(bench.db.url, completedRows(3), { settings: { pruneMs: 14 * 86_400_000 } });
    expect(pruned).toMatchObject({ state: 'ok', detail: '3 or more, pruned after 14 d' });
  });
});
