import { migrateCommand } from '../src/commands/migrate';
import { migrate } from '../src/db/migrate';
import { requireSchema, requireServer } from '../src/db/schema';
import { findSkipLockedFault } from '../src/db/skip-locked';
import { EXIT } from '../src/errors';
import { createDatabase, type TestDatabase } from './support/database';
import { startProxy } from './support/proxy';
import { dumpDatabase, settingsFor, withPool } from './support/tables';

const NEWEST = 2;

let db: TestDatabase;
let printed: string;

beforeEach(async () => {
  db = await createDatabase({ migrated: false });
  printed = '';
  jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += String(text);
    return true;
  });
});

afterEach(async () => {
  jest.restoreAllMocks();
  await db.drop();
});

const run = (options: Parameters<typeof migrateCommand>[1] = {}, url = db.urls.migrator) =>
  migrateCommand(settingsFor(url), options);

describe('migrate', () => {
  test('applies every migration in order and says so', async () => {
    expect(await run()).toBe(EXIT.ok);
    expect(printed).toBe(`applied 0001_create_side_tables, 0002_create_jobs: schema of ${db.name} is at version 2\n`);
    const [rows] = await db.pool.query(
      'SELECT version, applied_at IS NOT NULL AS applied FROM background_job_migrations WHERE version > 0',
    );
    expect(rows).toEqual([
      { version: 1, applied: 1 },
      { version: 2, applied: 1 },
    ]);
  });

  test('finds nothing to do the second time', async () => {
    await run();
    printed = '';
    const before = await dumpDatabase(db.pool);
    expect(await run()).toBe(EXIT.ok);
    expect(printed).toBe('schema is at version 2, nothing to do\n');
    expect(await dumpDatabase(db.pool)).toEqual(before);
  });

  test('tells its work as JSON', async () => {
    await run({ json: true });
    expect(JSON.parse(printed)).toEqual({ version: NEWEST, applied: ['0001_create_side_tables', '0002_create_jobs'] });
  });

  test('lets ten hosts migrate at once: one works, nine find nothing to do', async () => {
    const ended = await Promise.all(
      Array.from({ length: 10 }, () => withPool(db.urls.migrator, (pool) => migrate(pool))),
    );
    expect(ended.map(({ applied }) => applied.length).sort()).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 2]);
    await withPool(db.urls.migrator, (pool) => requireSchema(pool, 'server'));
  });

  test('refuses a half-applied schema by name, with the mend', async () => {
    await run();
    await db.pool.query('UPDATE background_job_migrations SET applied_at = NULL WHERE version = 1');
    await expect(run()).rejects.toMatchObject({
      exitCode: EXIT.config,
      message: expect.stringMatching(
        /^migration 0001_create_side_tables was begun and never finished; .*SET applied_at = NOW\(3\) WHERE version = 1.*$/,
      ),
    });
  });

  test('refuses a newer schema by name', async () => {
    await run();
    await db.pool.query('INSERT INTO background_job_migrations VALUES (7, NOW())');
    await expect(run()).rejects.toMatchObject({
      exitCode: EXIT.config,
      message: 'schema is at 7, this rowlock knows 2; upgrade rowlock',
    });
  });

  test('refuses a name that another app has taken, and changes nothing', async () => {
    await db.pool.query('CREATE TABLE background_job_runs (id INT PRIMARY KEY)');
    const before = await dumpDatabase(db.pool);
    await expect(run()).rejects.toMatchObject({
      exitCode: EXIT.config,
      message: expect.stringMatching(/created background_job_runs, yet/),
    });
    expect(await dumpDatabase(db.pool)).toEqual(before);
  });

  test('forgets a migration whose first statement the server refused, so that it can be tried again', async () => {
    const proxy = await startProxy(db.urls.migrator, (sql) =>
      /^CREATE TABLE background_jobs/.test(sql) ? 'nonsense' : sql,
    );
    await expect(run({}, proxy.url)).rejects.toMatchObject({ errno: 1064 });
    const [rows] = await db.pool.query('SELECT version FROM background_job_migrations WHERE version > 0');
    expect(rows).toEqual([{ version: 1 }]);
    expect(await run()).toBe(EXIT.ok);
  });

  test('says in a line that the server is not there', async () => {
    await expect(run({}, 'mysql://root@127.0.0.1:1/nothing')).rejects.toMatchObject({
      exitCode: EXIT.unreachable,
      message: expect.stringMatching(/127\.0\.0\.1:1 does not answer/),
    });
  });
});

describe('migrate --status', () => {
  test('tells each migration and changes nothing', async () => {
    const before = await dumpDatabase(db.pool);
    expect(await run({ status: true })).toBe(EXIT.ok);
    expect(printed).toBe('0001_create_side_tables  not applied\n0002_create_jobs         not applied\n');
    expect(await dumpDatabase(db.pool)).toEqual(before);
  });

  test('tells when each was applied, what is half done, and what is unknown', async () => {
    await run();
    await db.pool.query('UPDATE background_job_migrations SET applied_at = NULL WHERE version = 1');
    await db.pool.query('INSERT INTO background_job_migrations VALUES (7, NOW())');
    printed = '';
    await run({ status: true });
    const lines = printed.trimEnd().split('\n');
    expect(lines[0]).toBe('0001_create_side_tables  begun, not finished');
    expect(lines[1]).toMatch(/^0002_create_jobs {9}applied 20\d\d-\d\d-\d\dT[\d:.]+Z$/);
    expect(lines[2]).toMatch(/^0007 {21}applied, unknown to this rowlock 20/);
  });

  test('tells it as JSON', async () => {
    await run();
    printed = '';
    await run({ status: true, json: true });
    expect(JSON.parse(printed)).toEqual({
      migrations: [
        { version: 1, name: '0001_create_side_tables', state: 'applied', applied_at: expect.any(String) },
        { version: 2, name: '0002_create_jobs', state: 'applied', applied_at: expect.any(String) },
      ],
      home_made: false,
    });
  });
});

describe('requireSchema', () => {
  const check = (url = db.urls.migrator) => withPool(url, (pool) => requireSchema(pool, 'server'));

  test('asks one question of a schema that is as it should be', async () => {
    await run();
    const proxy = await startProxy(db.urls.migrator, (sql) => sql);
    await check(proxy.url);
    expect(proxy.seen.filter((sql) => !sql.startsWith('SET'))).toEqual([
      expect.stringMatching(/background_job_migrations/),
    ]);
  });

  test.each([
    ['is missing', [], /has no Rowlock tables yet; run rowlock migrate$/],
    [
      'is older',
      ['DELETE FROM background_job_migrations WHERE version = 2'],
      /^schema is at 1, this rowlock needs 2; run rowlock migrate$/,
    ],
    [
      'is newer',
      ['INSERT INTO background_job_migrations VALUES (7, NOW())'],
      /^schema is at 7, this rowlock knows 2; upgrade rowlock$/,
    ],
    [
      'is half applied',
      ['UPDATE background_job_migrations SET applied_at = NULL WHERE version = 2'],
      /^migration 0002_create_jobs was begun/,
    ],
  ])('refuses a schema that %s', async (_, statements, message) => {
    if (statements.length > 0) await run();
    for (const statement of statements) await db.pool.query(statement);
    await expect(check()).rejects.toMatchObject({ exitCode: EXIT.config, message: expect.stringMatching(message) });
  });

  test('tells a migration that is at work from one that died', async () => {
    await run();
    await db.pool.query('UPDATE background_job_migrations SET applied_at = NULL WHERE version = 2');
    const other = await db.pool.getConnection();
    await other.query("SELECT GET_LOCK(CONCAT('rowlock.migrate.', LEFT(SHA2(LOWER(DATABASE()), 256), 40)), 0)");
    await expect(check()).rejects.toThrow(/is at work on 0002_create_jobs just now/);
    other.destroy();
  });

  test('names a server that is too old', async () => {
    await run();
    const proxy = await startProxy(db.urls.migrator, (sql) => sql.replace('VERSION()', "'5.7.44'"));
    const refused = {
      exitCode: EXIT.config,
      message: expect.stringMatching(/^the server is MySQL 5\.7\.44, but .* need MySQL 8\.0\.4 or MariaDB 10\.6/),
    };
    await expect(check(proxy.url)).rejects.toMatchObject(refused);
    await expect(run({}, proxy.url)).rejects.toMatchObject(refused);
  });
});

describe('the server\u2019s version', () => {
  const check = async (version: string) => {
    const proxy = await startProxy(db.urls.migrator, (sql) => sql.replace('VERSION()', `'${version}'`));
    await withPool(proxy.url, requireServer);
  };

  test.each(['5.7.44', '8.0.3-rc-log', '10.5.9-MariaDB', '5.5.5-10.3.1-MariaDB-log', '5.6.51'])(
    '%s is too old',
    async (version) => {
      await expect(check(version)).rejects.toThrow(`${version}, but SKIP LOCKED and JSON_TABLE need`);
    },
  );

  test.each([
    '8.0.4',
    '8.4.1-cluster',
    '9.7.4-2',
    '8.0',
    '10.6.0-MariaDB',
    '5.5.5-10.11.6-MariaDB',
    '12.0.1-MariaDB-log',
  ])('%s will do', check);
});

describe('privileges', () => {
  const user = `rowlock_${process.pid}`;
  afterEach(() => db.pool.query(`DROP USER IF EXISTS '${user}'@'%'`));

  test('that are missing are told in a line', async () => {
    await db.pool.query(`CREATE USER '${user}'@'%' IDENTIFIED BY 'x'`);
    await db.pool.query(`GRANT SELECT ON \`${db.name}\`.* TO '${user}'@'%'`);
    const url = new URL(db.url);
    url.username = user;
    url.password = 'x';
    await expect(run({}, url.href)).rejects.toMatchObject({
      exitCode: EXIT.config,
      message: expect.stringMatching(/^CREATE command denied .*; GRANT the privilege/),
    });
  });

  test('to change tables are not needed where there is nothing to do', async () => {
    await run();
    await db.pool.query(`CREATE USER '${user}'@'%' IDENTIFIED BY 'x'`);
    await db.pool.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON \`${db.name}\`.* TO '${user}'@'%'`);
    const url = new URL(db.url);
    url.username = user;
    url.password = 'x';
    expect(await run({}, url.href)).toBe(EXIT.ok);
  });
});

describe('SKIP LOCKED', () => {
  test('is found to skip on a real server', async () => {
    await run();
    await withPool(db.urls.migrator, async (pool) => expect(await findSkipLockedFault(pool)).toBeUndefined());
  });

  test.each([
    [
      'locks nothing',
      (sql: string) => sql.replace(/FOR UPDATE( SKIP LOCKED)?$/, ''),
      /skips no locked row: two workers would run the same job/,
    ],
    ['waits', (sql: string) => sql.replace(/ SKIP LOCKED$/, ''), /waits for locked rows/],
    ['does not know it', (sql: string) => sql.replace(/SKIP LOCKED$/, 'SKEP LOCKED'), /does not know SKIP LOCKED/],
  ])('is refused, before any table of the queue is made, on a server that %s', async (_, meddle, message) => {
    const proxy = await startProxy(db.urls.migrator, meddle);
    await expect(run({}, proxy.url)).rejects.toMatchObject({
      exitCode: EXIT.config,
      message: expect.stringMatching(message),
    });
    const [tables] = await db.pool.query('SHOW TABLES');
    expect((tables as object[]).map((row) => Object.values(row)[0])).toEqual(['background_job_migrations']);
    expect(await run()).toBe(EXIT.ok);
  });
});
