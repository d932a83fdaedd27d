import { createDatabase } from './support/database';
import { diagnose, listTrouble } from './support/doctor';
import { type DoctorBench, openDoctorBench } from './support/doctor-bench';
import { type Meddle, startProxy } from './support/proxy';

let bench: DoctorBench;

beforeAll(async () => {
  bench = await openDoctorBench();
});

beforeEach(() => bench.clear());

/** Finds something with a server that is as the proxy makes it look: where the real setting cannot be had at run time. */
const diagnoseThrough = async (meddle: Meddle) => diagnose((await startProxy(bench.db.url, meddle)).url);

/** As if this much time had passed for the doctor's sessions and for nothing else. */
const later =
  (seconds: number): Meddle =>
  (statement) =>
    statement.replace(/^SET time_zone = /, `SET timestamp = UNIX_TIMESTAMP() + ${seconds}, time_zone = `);

describe('the schema', () => {
  test('is not there: what needs no table is told nevertheless', async () => {
    const empty = await createDatabase({ migrated: false });
    const found = await diagnose(empty.url);
    expect(found['schema']).toEqual({
      state: 'fault',
      detail: 'this database has no Rowlock tables yet',
      mend: 'run rowlock migrate',
    });
    expect(found).toMatchObject({ server: { state: 'ok' }, writable: { state: 'ok' }, history: { state: 'ok' } });
    expect(found['runs']).toEqual({ state: 'unknown', detail: 'needs the tables', mend: 'see schema' });
    expect(found['tables']).toMatchObject({ state: 'unknown' });
    await empty.drop();
  });

  test("is another app's: nobody is told to alter that table", async () => {
    const other = await createDatabase({ migrated: false });
    await other.pool.query(
      'CREATE TABLE background_jobs (id INT PRIMARY KEY, job_type TEXT, status TEXT) ENGINE = MyISAM',
    );
    const trouble = listTrouble(await diagnose(other.url));
    expect(trouble['schema']).toMatchObject({ state: 'fault', mend: 'run rowlock migrate' });
    const { schema: _, ...rest } = trouble;
    for (const finding of Object.values(rest)) {
      expect(finding).toEqual({ state: 'unknown', detail: 'needs the tables', mend: 'see schema' });
    }
    expect(Object.keys(rest)).toEqual(
      expect.arrayContaining(['tables', 'keys', 'claim-plan', 'waiting', 'privileges']),
    );
    await other.drop();
  });

  test.each([
    ['newer', 'INSERT INTO background_job_migrations VALUES (9000, NOW(3))', /^schema is at 9000/, /^upgrade rowlock/],
    ['older', 'DELETE FROM background_job_migrations WHERE version = 2', /^schema is at 1/, /^run rowlock migrate/],
    [
      'half made',
      'UPDATE background_job_migrations SET applied_at = NULL WHERE version = 2',
      /was begun and never finished$/,
      /^either do the rest/,
    ],
  ])('is %s: the rest is told', async (_, statement, detail, mend) => {
    const other = await createDatabase();
    await other.pool.query(statement);
    const found = await diagnose(other.url);
    expect(found['schema']).toEqual({
      state: 'fault',
      detail: expect.stringMatching(detail),
      mend: expect.stringMatching(mend),
    });
    expect(found).toMatchObject({ waiting: { state: 'ok' }, 'claim-plan': { state: 'ok' } });
    await other.drop();
  });

  test('has a table without row locks', async () => {
    await bench.sql('ALTER TABLE background_job_errors ENGINE = MyISAM');
    const { tables } = await diagnose(bench.db.url);
    expect(tables).toEqual({
      state: 'fault',
      detail: 'without row locks and transactions: background_job_errors (MyISAM)',
      mend: 'ALTER TABLE background_job_errors ENGINE = InnoDB',
    });
    await bench.sql(String(tables?.mend));
  });

  test('has lost a table', async () => {
    await bench.sql('RENAME TABLE background_job_errors TO elsewhere');
    const found = await diagnose(bench.db.url);
    await bench.sql('RENAME TABLE elsewhere TO background_job_errors');
    expect(listTrouble(found)).toEqual({
      privileges: {
        state: 'fault',
        detail: expect.stringContaining('background_job_errors'),
        mend: expect.stringContaining('sql/migrations'),
      },
    });
  });

  test.each([
    [
      'leaves a sort to do',
      'claim_order',
      'ADD KEY claim_order (status, queue, id)',
      /^the claim is not served .*filesort/,
    ],
    // A claim would walk over the jobs of all other priorities: its plan looks the same.
    ['has another order', 'claim_order', 'ADD KEY claim_order (status, queue, run_at, id)', /^claim_order, a range/],
    ['is gone', 'claim_order', 'ADD KEY other (status)', /^needs a key that is gone$/],
    [
      'is no longer unique',
      'one_per_unique_key',
      'ADD KEY one_per_unique_key (job_type, unique_key)',
      /^claim_order, a range/,
    ],
  ])('has a key that %s; the mend brings it back', async (_, name, change, plan) => {
    await bench.sql(`ALTER TABLE background_jobs DROP KEY ${name}, ${change}`);
    const found = await diagnose(bench.db.url);
    expect(found['keys']).toMatchObject({
      state: 'fault',
      detail: `gone from background_jobs, or not as it was made: ${name}`,
    });
    expect(found['claim-plan']?.detail).toMatch(plan);
    await bench.sql(String(found['keys']?.mend));
    expect((await diagnose(bench.db.url))['keys']).toMatchObject({ state: 'ok' });
  });
});

describe('the server', () => {
  test('is too old', async () => {
    const found = await diagnoseThrough((statement) => statement.replace('VERSION()', "'5.7.44'"));
    expect(found['server']).toEqual({
      state: 'fault',
      detail: 'the server is MySQL 5.7.44, but SKIP LOCKED and JSON_TABLE need MySQL 8.0.4 or MariaDB 10.6',
      mend: 'upgrade it, or correct DATABASE_URL',
    });
    expect(found['runs']).toMatchObject({ state: 'ok' });
  });

  test.each([
    [3600, /^the server's clock is 3[56]\d\d\.\d s ahead of this host's/],
    [-3600, /^the server's clock is 3[56]\d\d\.\d s behind this host's/],
  ])('has a clock that is %d s off', async (seconds, detail) => {
    const { clock } = await diagnoseThrough(later(seconds));
    expect(clock).toEqual({ state: 'warning', detail: expect.stringMatching(detail), mend: 'let NTP set both' });
  });

  test.each([
    ['locks nothing', (s: string) => s.replace(/FOR UPDATE( SKIP LOCKED)?$/, ''), /skips no locked row: two workers/],
    ['waits', (s: string) => s.replace(/ SKIP LOCKED$/, ''), /waits for locked rows: two workers/],
    ['does not know it', (s: string) => s.replace(/SKIP LOCKED$/, 'SKEP LOCKED'), /does not know SKIP LOCKED/],
  ])('%s where SKIP LOCKED is asked for', async (_, meddle, detail) => {
    const found = await diagnoseThrough((s) => (/canary|version = 0/.test(s) ? meddle(s) : s));
    expect(found['skip-locked']).toEqual({
      state: 'fault',
      detail: expect.stringMatching(detail),
      mend: 'use MySQL 8.0.4 or MariaDB 10.6, or newer',
    });
  });

  test('cannot be tried without a row for it; the mend brings it back', async () => {
    await bench.sql('DELETE FROM background_job_migrations WHERE version = 0');
    const found = await diagnose(bench.db.url);
    expect(found['skip-locked']).toMatchObject({ state: 'warning', detail: 'there is no row to try SKIP LOCKED on' });
    await bench.sql(String(found['skip-locked']?.mend));
    expect((await diagnose(bench.db.url))['skip-locked']).toMatchObject({ state: 'ok' });
  });

  test.each([
    ['isolation', /^SET SESSION TRANSACTION/, 'the isolation is REPEATABLE-READ, not READ-COMMITTED'],
    ['time zone and SQL mode', /^SET time_zone/, 'the SQL mode is not strict'],
  ])('is behind a proxy that drops what a session sets: %s', async (_, dropped, detail) => {
    const found = await diagnoseThrough((s) => (dropped.test(s) ? "SET time_zone = 'SYSTEM', sql_mode = ''" : s));
    expect(found['session']).toEqual({
      state: 'fault',
      detail: expect.stringContaining(detail),
      mend: expect.stringContaining('proxy'),
    });
    expect(found['session']?.detail).toContain('the time zone is SYSTEM');
  });

  test('answers a question with an error that nobody expects', async () => {
    const found = await diagnoseThrough((s) => s.replace(/^SHOW (REPLICA|SLAVE) STATUS/, 'SELECT no_such_function()'));
    expect(found['replica']).toEqual({
      state: 'warning',
      detail: expect.stringContaining('cannot be checked: FUNCTION'),
      mend: expect.any(String),
    });
  });

  test('before MySQL 8.0.22 knows only the old words for a replica', async () => {
    const seen: string[] = [];
    const { replica } = await diagnoseThrough((s) => {
      if (/^SHOW .* STATUS$/.test(s)) seen.push(s);
      return s
        .replace('SHOW REPLICA STATUS', 'SHOW REPLIKA STATUS')
        .replace('SHOW SLAVE STATUS', 'SELECT 1 FROM DUAL WHERE FALSE');
    });
    expect(seen).toEqual(['SHOW REPLICA STATUS', 'SHOW SLAVE STATUS']);
    expect(replica).toMatchObject({ state: 'ok' });
  });

  test('cannot write at all (innodb_read_only cannot be set while it runs)', async () => {
    const { writable } = await diagnoseThrough((s) =>
      s.startsWith('SHOW GLOBAL VARIABLES') ? "SELECT 'innodb_read_only' AS Variable_name, 'ON' AS Value" : s,
    );
    expect(writable).toMatchObject({ state: 'fault', detail: 'the server takes no writes: innodb_read_only is ON' });
  });
});
