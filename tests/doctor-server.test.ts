import { createConnection, type RowDataPacket } from 'mysql2/promise';
import { history } from '../src/doctor/history';
import { openTransactions } from '../src/doctor/open-transactions';
import { createDatabase, type TestDatabase } from './support/database';
import { ask, diagnose, listTrouble } from './support/doctor';
import { startOwnServer } from './support/own-server';
import { startProxy } from './support/proxy';
import { rowlock } from './support/rowlock';
import { insertJob, insertRow } from './support/rows';
import { until } from './support/until';

/** Half an hour off any other: what is told in the zone of the server's machine is not told in UTC. */
const TIME_ZONE = 'Asia/Kolkata';

let db: TestDatabase;
let isMariaDB: boolean;

beforeAll(async () => {
  process.env['ROWLOCK_TEST_DATABASE_URL'] = await startOwnServer(['--log-bin=binlog', '--server-id=7'], TIME_ZONE);
  db = await createDatabase();
  const [[row]] = await db.pool.query<RowDataPacket[]>('SELECT VERSION() AS version');
  isMariaDB = /mariadb/i.test(String(row?.['version']));
  await insertRow(db, 'background_job_runs', { id: 1, host: 'web1', pid: 42 });
  await insertJob(db);
  await set('sync_binlog', 1); // MariaDB's own default is 0
  await set('binlog_format', 'ROW');
}, 120_000);

const set = (name: string, value: string | number) => db.pool.query(`SET GLOBAL ${name} = ?`, [value]);

/** What is wrong while the server has this setting; afterwards it has the one that it had. */
async function troubleWith(name: string, value: string | number) {
  const [[before]] = await db.pool.query<RowDataPacket[]>(`SELECT @@GLOBAL.${name} AS value`);
  await set(name, value);
  try {
    return listTrouble(await diagnose(db.url));
  } finally {
    await set(name, before?.['value']);
  }
}

test('nothing is wrong with a server that logs its rows, in another time zone', async () => {
  const found = await diagnose(db.url);
  expect(listTrouble(found)).toEqual({});
  expect(found['binary-log']?.detail).toBe('ROW');
  expect(found['time-zone']?.detail).toMatch(/^IST: a literal run_at counts in the zone of the session that writes it/);
});

describe('a setting', () => {
  test('binlog_format: and a run could write nothing', async () => {
    const found = await troubleWith('binlog_format', 'STATEMENT');
    expect(found).toMatchObject({
      'binary-log': {
        state: 'fault',
        detail: 'binlog_format is STATEMENT: each write of a run is refused (error 1665)',
        mend: expect.stringContaining('binlog_format = ROW'),
      },
      privileges: {
        state: 'unknown',
        detail: 'cannot be checked on a server that takes no writes',
        mend: 'see writable and binary-log',
      },
    });
    await set('binlog_format', 'STATEMENT');
    const run = await rowlock(['run'], { env: { DATABASE_URL: db.url } });
    await set('binlog_format', 'ROW');
    expect(run.code).not.toBe(0);
    expect(run.stderr).toMatch(/BINLOG_FORMAT = STATEMENT|binlog_format/i);
  });

  test('read_only, and its stronger kin', async () => {
    for (const name of isMariaDB ? ['read_only'] : ['read_only', 'super_read_only']) {
      const found = await troubleWith(name, 1);
      await set('read_only', 0); // super_read_only has set it too
      expect(found['writable']).toEqual({
        state: 'fault',
        detail: expect.stringContaining(`${name} is ON`),
        mend: 'it is a replica, or being switched over: let DATABASE_URL name the primary',
      });
    }
  });

  test.each([
    ['innodb_flush_log_at_trx_commit', 2],
    ['sync_binlog', 0],
  ])('%s', async (name, value) => {
    expect(await troubleWith(name, value)).toEqual({
      durability: {
        state: 'warning',
        detail: expect.stringMatching(new RegExp(`^${name} is ${value}: a crash of the server loses`)),
        mend: `set ${name} = 1`,
      },
    });
  });

  test('max_allowed_packet', async () => {
    expect(await troubleWith('max_allowed_packet', 1024 * 1024)).toEqual({
      'packet-size': {
        state: 'warning',
        detail: expect.stringMatching(/^max_allowed_packet is 1024 KB/),
        mend: 'set it to 16 MB or more',
      },
    });
  });

  test('max_connections', async () => {
    const others = await Promise.all(Array.from({ length: 8 }, () => createConnection(db.url)));
    const found = await troubleWith('max_connections', 17);
    await Promise.all(others.map((other) => other.end()));
    expect(found).toEqual({
      connections: {
        state: 'warning',
        detail: expect.stringMatching(/^\d+ of 17 connections are in use/),
        mend: expect.stringContaining('SHOW PROCESSLIST'),
      },
    });
  });

  test('time_zone is told, and never wrong', async () => {
    await set('time_zone', '-03:00');
    const found = await diagnose(db.url);
    await set('time_zone', 'SYSTEM');
    expect(found['time-zone']).toMatchObject({ state: 'ok', detail: expect.stringMatching(/^-03:00: /) });
  });

  test('innodb_snapshot_isolation, which MariaDB has, does no harm', async () => {
    const found = troubleWith('innodb_snapshot_isolation', 1);
    if (isMariaDB) expect(await found).toEqual({});
    else await expect(found).rejects.toMatchObject({ code: 'ER_UNKNOWN_SYSTEM_VARIABLE' });
  });
});

test('a replica is told', async () => {
  const [begin, end] = isMariaDB
    ? ["CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = 1, MASTER_USER = 'nobody'", 'RESET SLAVE ALL']
    : ["CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_PORT = 1", 'RESET REPLICA ALL'];
  await db.pool.query(begin ?? '');
  const found = await diagnose(db.url);
  await db.pool.query(end ?? '');
  expect(listTrouble(found)).toEqual({
    replica: {
      state: 'warning',
      detail: 'the server replicates another one: a job may be run here and there',
      mend: 'let DATABASE_URL name the primary',
    },
  });
});

describe('transactions', () => {
  /** As if half an hour had passed for the doctor: a transaction's own start cannot be moved. */
  const laterOn = async () =>
    (await startProxy(db.url, (s) => s.replace(/^SET time_zone/, 'SET timestamp = UNIX_TIMESTAMP() + 1800, time_zone')))
      .url;

  /** The server answers with the list of before to whoever asks twice within 100 ms. */
  const NEW_LIST = { everyMs: 120 };

  test('that have been open for long are told with their session', async () => {
    const other = await createConnection(db.url);
    await other.query('START TRANSACTION');
    await other.query('SELECT id FROM background_jobs FOR UPDATE');
    const seen = await until(
      async () => {
        const { detail } = await ask(db.url, openTransactions);
        return detail !== 'none' && detail;
      },
      'the transaction is seen',
      NEW_LIST,
    );
    expect(seen).toMatch(/^the oldest is \d+ s old$/);
    const found = await ask(await laterOn(), openTransactions);
    expect(found).toEqual({
      state: 'warning',
      detail: expect.stringMatching(new RegExp(`^session ${other.threadId} has a transaction open for 30 min: `)),
      mend: `KILL ${other.threadId}`,
    });
    await other.end();
  });

  test('of XA that nobody has ended are told', async () => {
    const other = await createConnection(db.url);
    for (const statement of [
      "XA START 'left'",
      "INSERT INTO background_jobs (job_type) VALUES ('xa')",
      "XA END 'left'",
      "XA PREPARE 'left'",
    ]) {
      await other.query(statement);
    }
    await other.end();
    const url = await laterOn();
    const found = await until(
      async () => {
        const finding = await ask(url, openTransactions);
        return finding.detail.includes('XA') && finding;
      },
      'the prepared transaction is seen',
      NEW_LIST,
    );
    await db.pool.query("XA ROLLBACK 'left'");
    expect(found).toMatchObject({
      state: 'warning',
      detail: expect.stringMatching(/^a prepared XA transaction is 30 min old/),
    });
  });

  test('that cannot be purged are counted', async () => {
    const snapshot = await createConnection(db.url);
    await snapshot.query('START TRANSACTION WITH CONSISTENT SNAPSHOT');
    await snapshot.query('SELECT COUNT(*) FROM background_job_runs');
    for (let n = 0; n < 30; n++) await db.pool.query('UPDATE background_job_runs SET pid = pid + 1');
    expect(await ask(db.url, history(30))).toEqual({
      state: 'warning',
      detail: expect.stringMatching(/^[\d,]+ transactions to purge: reads through indexes become slow/),
      mend: expect.stringContaining('open-transactions'),
    });
    await snapshot.end();
  });
});

describe('a user', () => {
  const AS = { producer: 'p', viewer: 'v', worker: 'w' };

  beforeAll(async () => {
    for (const name of Object.values(AS)) await db.pool.query(`CREATE USER '${name}'@'%' IDENTIFIED BY 'hunter2'`);
    const grant = (rights: string, table: string, name: string) =>
      db.pool.query(`GRANT ${rights} ON \`${db.name}\`.background_${table} TO '${name}'@'%'`);
    await grant('INSERT (job_type, payload, queue, priority, run_at, unique_key, max_attempts)', 'jobs', AS.producer);
    await grant('SELECT (version, applied_at)', 'job_migrations', AS.producer);
    for (const table of ['jobs', 'job_runs', 'job_errors', 'job_queues', 'job_schedules', 'job_migrations']) {
      for (const name of [AS.viewer, AS.worker]) await grant('SELECT', table, name);
    }
    await grant('INSERT (job_type, payload, queue, priority, run_at, unique_key, max_attempts)', 'jobs', AS.worker);
    await grant(
      'UPDATE (status, processed_at, run_at, unique_key, attempts, crashes, run_id, started_at, cancelled_at, progress, checkpoint, saves, result, last_error)',
      'jobs',
      AS.worker,
    );
    await grant('INSERT, UPDATE, DELETE', 'job_runs', AS.worker);
    await grant('INSERT', 'job_errors', AS.worker);
    await grant('INSERT, UPDATE', 'job_schedules', AS.worker);
  });

  const urlOf = (name: string): string => {
    const url = new URL(db.url);
    url.username = name;
    url.password = 'hunter2';
    return url.href;
  };

  test('that may do what a run does is told what it may not see, and exits 0', async () => {
    const { code, stdout, stderr } = await rowlock(['doctor', '--json'], { env: { DATABASE_URL: urlOf(AS.worker) } });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const found = JSON.parse(stdout) as { check: string; state: string; mend: string }[];
    const trouble = found.filter(({ state }) => state !== 'ok');
    expect(new Set(trouble.map(({ state }) => state))).toEqual(new Set(['unknown']));
    expect(trouble.map(({ check }) => check)).toEqual(
      isMariaDB ? ['replica', 'open-transactions'] : ['replica', 'skip-locked', 'open-transactions', 'history'],
    );
    expect(trouble.find(({ check }) => check === 'open-transactions')?.mend).toContain('GRANT PROCESS');
  });

  test('that may not delete cannot prune', async () => {
    const trouble = listTrouble(await diagnose(urlOf(AS.worker), { settings: { pruneMs: 86_400_000 } }));
    expect(trouble['privileges']).toEqual({
      state: 'fault',
      detail: 'this user cannot run jobs, it lacks DELETE on background_jobs; DELETE on background_job_errors',
      mend: expect.stringContaining('sql/grants.sql'),
    });
  });

  test('that may only look is told that it runs no job', async () => {
    const found = await diagnose(urlOf(AS.viewer));
    expect(found['privileges']).toEqual({
      state: 'fault',
      detail:
        'this user cannot run jobs, it lacks INSERT, UPDATE on background_jobs; INSERT, UPDATE on background_job_runs; ' +
        'INSERT on background_job_errors; INSERT, UPDATE on background_job_schedules',
      mend: expect.stringContaining('sql/grants.sql'),
    });
    expect(found).toMatchObject({ runs: { state: 'ok' }, waiting: { state: 'ok' }, server: { state: 'ok' } });
  });

  test('that may only enqueue is told the rest', async () => {
    const { code, stdout, stderr } = await rowlock(['doctor'], { env: { DATABASE_URL: urlOf(AS.producer) } });
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(stdout).toMatch(
      /^fault {4}privileges +this user cannot run jobs, it lacks SELECT, UPDATE on background_jobs;/m,
    );
    expect(stdout).toMatch(/^unknown {2}waiting +cannot be checked: this user lacks a privilege for it; /m);
    expect(stdout).toMatch(/^unknown {2}keys /m);
    expect(stdout).toMatch(/^ok {7}server /m);
    expect(stdout.trimEnd().split('\n')).toHaveLength(27);
    expect(stdout).not.toContain('hunter2');
  });
});
