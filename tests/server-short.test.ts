import { type Meddle, startProxy } from './support/proxy';
import { until } from './support/until';
import { openWorkshop, type Workshop } from './support/workshop';

// The server answers, and says that it has no room, or that a statement is too large for it.

let shop: Workshop;

beforeAll(async () => {
  shop = await openWorkshop('fault-jobs.js');
});

beforeEach(async () => {
  await shop.clear();
});

const start = async (meddle: Meddle, args: string[] = []) => {
  const { url } = await startProxy(shop.db.urls.worker, meddle);
  return shop.start(args, { DATABASE_URL: url, LOG_LEVEL: 'info' });
};

/** A statement that fails with this error number. */
const failing = (errno: number, state = 'HY000'): string =>
  `SIGNAL SQLSTATE '${state}' SET MYSQL_ERRNO = ${errno}, MESSAGE_TEXT = 'made up'`;

const settles = (sql: string): boolean =>
  sql.startsWith('UPDATE JSON_TABLE') || sql.startsWith('UPDATE background_jobs FORCE INDEX (PRIMARY)\nSET status =');

const noted = (line: string, times = 1) =>
  until(() => shop.notes().filter((seen) => seen === line).length === times, `a note, ${times} times: ${line}`);

test.each([
  [1021, 'the disk is full'],
  [1114, 'the table is full'],
])('what ends while the server has no room (%s, %s) is kept, and written whole when it has some', async (errno) => {
  let isFull = false;
  const ids = [
    await shop.add('gated.result', 'door'),
    await shop.add('gated', 'door'),
    await shop.add('gated.retry', 'door'),
    await shop.add('gated.once', 'door'),
  ];
  const worker = await start((sql) => (isFull && settles(sql) ? failing(errno) : sql), ['--keep-alive', '1m']);
  await noted('door began', ids.length);
  isFull = true;
  shop.openGate('door');
  await until(() => worker.stderr().includes('"event":"run.waiting"'), 'the run says that it waits');
  isFull = false;
  const states = async () => Promise.all(ids.map((id) => shop.job(id)));
  await until(async () => (await states()).every(({ status }) => status !== 'running'), 'all are settled');
  worker.child.kill('SIGTERM');
  expect(await worker.ended).toMatchObject({ code: 0, signal: null });
  expect(await states()).toEqual([
    expect.objectContaining({ status: 'completed', attempts: 1, crashes: 0, result: '"opened"' }),
    expect.objectContaining({ status: 'completed', attempts: 1, crashes: 0 }),
    expect.objectContaining({ status: 'pending', attempts: 1, crashes: 0 }),
    expect.objectContaining({ status: 'completed', attempts: 1, crashes: 0 }),
  ]);
  await noted('door began', ids.length); // none of them a second time
  expect(worker.stderr()).not.toContain('"level":"warn"');
  expect(worker.stderr()).toContain('the database server cannot do it just now');
});

test('what is too large for a server that takes less than before is written in smaller portions', async () => {
  const ids = await Promise.all(Array.from({ length: 6 }, () => shop.add('gated.result', 'door')));
  const isTooLarge = (sql: string) => settles(sql) && sql.split('attempts\\":').length > 3;
  const seen: string[] = [];
  const worker = await start((sql) => {
    if (!isTooLarge(sql)) return sql;
    seen.push(sql);
    return failing(1153, '08S01');
  });
  await noted('door began', ids.length);
  shop.openGate('door');
  expect(await worker.ended).toMatchObject({ code: 0, signal: null });
  expect(seen.length).toBeGreaterThan(0);
  for (const id of ids)
    expect(await shop.job(id)).toMatchObject({ status: 'completed', attempts: 1, result: '"opened"' });
});

test('a result that is too large by itself is left out, and its job completed', async () => {
  const alone = await shop.add('result', 3_000);
  const within = await shop.add('complete.result', 3_000);
  const worker = await start((sql) => (settles(sql) && sql.includes('rrrr') ? failing(1153, '08S01') : sql));
  expect(await worker.ended).toMatchObject({ code: 0, signal: null });
  for (const id of [alone, within])
    expect(await shop.job(id)).toMatchObject({ status: 'completed', attempts: 1, result: null });
  expect(worker.stderr().split('"event":"job.result_dropped"')).toHaveLength(3);
});

test('a checkpoint that is too large fails its attempt at once, and is not sent for ever', async () => {
  const id = await shop.add('save.alone', 'door');
  const worker = await start((sql) =>
    sql.startsWith('UPDATE background_jobs SET checkpoint') ? failing(1153, '08S01') : sql,
  );
  expect(await worker.ended).toMatchObject({ code: 0, signal: null });
  expect(await shop.job(id)).toMatchObject({
    status: 'pending',
    attempts: 1,
    last_error: expect.stringContaining('made up'),
  });
});

test.each(['payload', 'checkpoint'])(
  'a job whose %s the server does not hand out goes back, and fails not',
  async (column) => {
    const id = await shop.add('work', 0);
    // As MySQL does where it is larger than max_allowed_packet.
    const cut = await start((sql) =>
      sql.replace(new RegExp(`(SELECT id, job_type AS type.*?)\\b${column}\\b`, 's'), `$1'' AS ${column}`),
    );
    const { code, stderr } = await cut.ended;
    expect({ code, events: stderr.split('"event":"job.not_claimed"').length }).toEqual({ code: 0, events: 2 });
    expect(stderr).toContain('larger than max_allowed_packet');
    expect(await shop.job(id)).toMatchObject({ status: 'pending', attempts: 0, crashes: 0, last_error: null });
    await shop.db.pool.query('UPDATE background_jobs SET run_at = NOW(3) WHERE id = ?', [id]);
    expect(await shop.run()).toMatchObject({ code: 0, stderr: '' });
    expect(await shop.job(id)).toMatchObject({ status: 'completed', attempts: 1 });
  },
);

test('a release that is refused for what it holds fails its job, with the attempt that its history names', async () => {
  const id = await shop.add('unknown');
  const worker = await start((sql) =>
    settles(sql) && sql.includes('status\\":\\"pending') ? failing(1264, '22003') : sql,
  );
  expect(await worker.ended).toMatchObject({ code: 0, signal: null });
  expect(await shop.job(id)).toMatchObject({ status: 'failed', attempts: 1 });
  expect(await shop.rows('SELECT attempt FROM background_job_errors WHERE job_id = ?', [id])).toEqual([{ attempt: 1 }]);
});

test.each([
  [1290, 'takes no writes (ER_OPTION_PREVENTS_STATEMENT); end that, or correct DATABASE_URL'],
  [1226, 'has no connection free (ER_USER_LIMIT_REACHED); raise its max_connections, or start fewer runs'],
  [1114, 'has no room (ER_RECORD_FILE_FULL); make some on its disk'],
])('a run that cannot even begin says why, with its mend (%s), and exits 69', async (errno, words) => {
  const worker = await start((sql) => (sql.startsWith('INSERT INTO background_job_runs') ? failing(errno) : sql));
  const { code, stderr } = await worker.ended;
  expect({ code, stderr }).toEqual({ code: 69, stderr: expect.stringMatching(/^rowlock: the database server at 127/) });
  expect(stderr).toContain(words);
});
