import { migrateCommand } from '../src/commands/migrate';
import { EXIT } from '../src/errors';
import { createDatabase, type TestDatabase } from './support/database';
import { CUT_AFTER, CUT_BEFORE, startProxy } from './support/proxy';
import { dumpDatabase, settingsFor } from './support/tables';

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

const adopt = (url = db.urls.migrator) => run({ adopt: true }, url);

async function sql(...statements: string[]): Promise<void> {
  const connection = await db.pool.getConnection();
  for (const statement of statements) await connection.query(statement);
  connection.release();
}

async function rows<T = Record<string, unknown>>(statement: string): Promise<T[]> {
  const [found] = await db.pool.query(statement);
  return found as T[];
}

/** The classic table, as an app of its own would have it. */
const CLASSIC = `CREATE TABLE background_jobs (
  id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  job_type VARCHAR(100) NOT NULL,
  payload TEXT,
  status ENUM('failed', 'completed', 'running', 'pending') NOT NULL DEFAULT 'pending',
  created_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
  processed_at DATETIME NULL,
  KEY by_status (status, created_at)
) ENGINE = InnoDB`;

const ROWS = `INSERT INTO background_jobs (id, job_type, payload, status, created_at, processed_at) VALUES
  (3, 'mail', '{"to": "zo\u00eb"}', 'pending', '2026-07-01 12:00:00', NULL),
  (4, 'mail', NULL, 'running', '2026-07-01 12:01:00', NULL),
  (7, 'report', '[1, 2]', 'completed', '2026-01-01 00:00:00', '2026-01-01 00:05:00'),
  (9, 'report', '"x"', 'failed', '2026-01-02 00:00:00', '2026-01-02 00:05:00')`;

/** Old shapes that people really have, each with rows in every status. */
const SHAPES: [name: string, statements: string[]][] = [
  ['the classic table', [CLASSIC, ROWS]],
  [
    'a latin1 table with VARCHAR status and BIGINT ids',
    [
      `CREATE TABLE background_jobs (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, job_type VARCHAR(255) NOT NULL, payload LONGTEXT,
      status VARCHAR(20) NOT NULL DEFAULT 'pending', created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
      processed_at DATETIME(6)) ENGINE = InnoDB DEFAULT CHARACTER SET latin1`,
      ROWS,
    ],
  ],
  [
    'a utf8mb3 table in COMPACT rows with JSON payload, extra columns and no processed_at',
    [
      `CREATE TABLE background_jobs (id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, customer_id INT NOT NULL DEFAULT 5, job_type TEXT NOT NULL,
      payload JSON, status VARCHAR(20) NOT NULL, created_at DATETIME NOT NULL, note VARCHAR(50), born DATE NOT NULL DEFAULT '2020-01-01',
      attempts TINYINT NOT NULL DEFAULT 0, error_text TEXT, KEY by_type (job_type(20))
    ) ENGINE = InnoDB ROW_FORMAT = COMPACT DEFAULT CHARACTER SET utf8mb3`,
      ROWS.replace(', processed_at)', ')').replaceAll(/, (?:NULL|'[^']+')\)/g, ')'),
    ],
  ],
  ['a MyISAM table', [CLASSIC.replace('InnoDB', 'MyISAM'), ROWS]],
  [
    'a table with columns in other letters and zero dates in a column of its own',
    [
      "SET SESSION sql_mode = ''",
      CLASSIC.replace('payload TEXT', 'Payload MEDIUMTEXT')
        .replace('status ENUM', 'Status ENUM')
        .replace('KEY by_status', "born DATETIME NOT NULL DEFAULT '0000-00-00 00:00:00', KEY by_status"),
      ROWS,
      'SET SESSION sql_mode = DEFAULT',
    ],
  ],
  [
    'a table with child tables and a parent',
    [
      'CREATE TABLE customers (id INT PRIMARY KEY)',
      'INSERT INTO customers VALUES (1)',
      CLASSIC.replace(
        'KEY by_status',
        'customer_id INT NOT NULL DEFAULT 1, parent_id INT NULL, FOREIGN KEY (customer_id) REFERENCES customers (id), FOREIGN KEY (parent_id) REFERENCES background_jobs (id), KEY by_status',
      ),
      ROWS,
      'UPDATE background_jobs SET parent_id = 3 WHERE id = 9',
      'CREATE TABLE job_notes (id INT AUTO_INCREMENT PRIMARY KEY, job_id INT NOT NULL, note TEXT, FOREIGN KEY (job_id) REFERENCES background_jobs (id) ON DELETE CASCADE)',
      "INSERT INTO job_notes (job_id, note) VALUES (3, 'a'), (9, 'b')",
    ],
  ],
];

describe('a background_jobs that Rowlock did not create', () => {
  test.each(SHAPES)('is shown and left as it is without --adopt: %s', async (_, statements) => {
    await sql(...statements);
    const before = await dumpDatabase(db.pool);
    await expect(run()).rejects.toMatchObject({
      exitCode: EXIT.config,
      message: expect.stringMatching(/run rowlock migrate --adopt; nothing was changed$/),
    });
    expect(await dumpDatabase(db.pool)).toEqual(before);
    expect(printed).toMatch(/add +run_at TIMESTAMP\(3\)/);
    expect(printed).toMatch(/Rows: 1 completed, 1 failed, 1 pending, 1 running\./);
    expect(printed).not.toMatch(/In the way/);
  });

  test.each(SHAPES)('becomes what a migration would have made: %s', async (_, statements) => {
    await sql(...statements);
    const before = await rows('SELECT id, job_type, payload, status, created_at FROM background_jobs ORDER BY id');
    expect(await adopt()).toBe(EXIT.ok);
    expect(printed).toMatch(/rowlock resume default/);

    const parsed = (row: Record<string, unknown>) => ({
      ...row,
      payload: JSON.parse(String(row['payload'])) as unknown,
    });
    const after = await rows('SELECT id, job_type, payload, status, created_at FROM background_jobs ORDER BY id');
    expect(after.map(parsed)).toEqual(before.map(parsed));
    expect(
      await rows(
        'SELECT DISTINCT queue, priority, attempts, crashes, run_id, unique_key, run_at > NOW(3) AS future FROM background_jobs',
      ),
    ).toEqual([{ queue: 'default', priority: 0, attempts: 0, crashes: 0, run_id: null, unique_key: null, future: 0 }]);
    expect(await rows('SELECT queue, paused_at IS NOT NULL AS paused FROM background_job_queues')).toEqual([
      { queue: 'default', paused: 1 },
    ]);
    await sql("INSERT INTO background_jobs (job_type, payload) VALUES ('\u{1F680}', '{}')");
    await expectSameColumnsAsFresh();

    printed = '';
    await run();
    expect(printed).toBe('schema is at version 2, nothing to do\n');
  });

  test('keeps extra columns, the id\u2019s type, keys, foreign keys and child rows', async () => {
    await sql(...(SHAPES.at(-1)?.[1] ?? []));
    await adopt();
    const [found] = await rows<{ 'Create Table': string }>('SHOW CREATE TABLE background_jobs');
    expect(found?.['Create Table']).toMatch(/`id` int(\(11\))? NOT NULL AUTO_INCREMENT/);
    expect(found?.['Create Table']).toMatch(/KEY `by_status`/);
    expect(found?.['Create Table'].match(/FOREIGN KEY/g)).toHaveLength(2);
    expect(await rows('SELECT job_id, note FROM job_notes')).toEqual([
      { job_id: 3, note: 'a' },
      { job_id: 9, note: 'b' },
    ]);
    await sql('DELETE FROM background_jobs WHERE id = 9');
    expect(await rows('SELECT job_id FROM job_notes')).toEqual([{ job_id: 3 }]);
  });

  test('pauses every queue that its rows name, told apart by bytes', async () => {
    await sql(
      CLASSIC.replace('KEY by_status', "queue VARCHAR(20) NOT NULL DEFAULT 'mail', KEY by_status"),
      "INSERT INTO background_jobs (job_type, queue) VALUES ('a', 'mail'), ('b', 'Mail'), ('c', 'slow')",
    );
    await adopt();
    expect(printed).toMatch(/rowlock resume default, rowlock resume Mail, rowlock resume mail, rowlock resume slow/);
    expect(await rows('SELECT queue FROM background_job_queues WHERE paused_at IS NOT NULL')).toEqual([
      { queue: 'Mail' },
      { queue: 'default' },
      { queue: 'mail' },
      { queue: 'slow' },
    ]);
  });

  test('has its DATETIME values read in the time zone of the server, and says so', async () => {
    await sql(CLASSIC, ROWS);
    // Not SET GLOBAL: other tests run on the same server.
    const proxy = await startProxy(db.urls.migrator, (text) => text.replaceAll('@@GLOBAL.time_zone', "'+05:30'"));
    await expect(run({}, proxy.url)).rejects.toThrow();
    expect(printed).toMatch(/Dates without a time zone are read as the server's: \+05:30\./);
    await adopt(proxy.url);
    expect(
      await rows(
        "SELECT UNIX_TIMESTAMP(created_at) - UNIX_TIMESTAMP(CONVERT_TZ('2026-07-01 12:00:00', '+05:30', @@session.time_zone)) AS off FROM background_jobs WHERE id = 3",
      ),
    ).toEqual([{ off: '0.000' }]);
  });

  test('is shown as JSON', async () => {
    await sql(CLASSIC, ROWS);
    await expect(run({ json: true })).rejects.toThrow();
    const { adoption } = JSON.parse(printed);
    expect(adoption.keeps).toEqual([expect.stringMatching(/^id int/)]);
    expect(adoption.blockers).toEqual([]);
    expect(adoption.rows).toContainEqual({ status: 'running', count: 1 });
  });

  test('is told by --status', async () => {
    await sql(CLASSIC);
    await run({ status: true });
    expect(printed).toMatch(/not created by Rowlock; rowlock migrate shows/);
  });

  test('is adopted when it is as it should be already, as a restored one', async () => {
    await run();
    await sql(
      "INSERT INTO background_jobs (job_type, status, run_id) VALUES ('a', 'running', 5)",
      'DROP TABLE background_job_migrations, background_job_queues, background_job_runs, background_job_errors, background_job_schedules',
    );
    printed = '';
    await expect(run()).rejects.toMatchObject({ exitCode: EXIT.config });
    expect(printed).toMatch(/nothing, it is as it should be/);
    expect(await adopt()).toBe(EXIT.ok);
    expect(await rows('SELECT queue FROM background_job_queues')).toEqual([{ queue: 'default' }]);
  });

  test('tells what to know beforehand', async () => {
    await sql(
      CLASSIC.replace(
        'KEY by_status',
        'customer_id INT NOT NULL, priority INT NOT NULL DEFAULT 3, KEY by_status',
      ).replace("'failed',", "'failed', 'queued',"),
      'CREATE TRIGGER watch_jobs BEFORE INSERT ON background_jobs FOR EACH ROW SET NEW.priority = 4',
    );
    await expect(run()).rejects.toThrow();
    expect(printed).toMatch(/Note: the trigger watch_jobs will fire/);
    expect(printed).toMatch(/Note: the column customer_id has no default/);
    expect(printed).toMatch(/Note: Rowlock takes the column priority for its own: the lower number runs sooner/);
    expect(printed).toMatch(/Note: status will refuse the words queued\./);
  });

  test('is left as it is when the server refuses the ALTER, which can be tried again', async () => {
    await sql(CLASSIC, ROWS);
    const [before] = await rows('SHOW CREATE TABLE background_jobs');
    const proxy = await startProxy(db.urls.migrator, (text) =>
      /^ALTER TABLE/.test(text) ? text.replace('priority SMALLINT', 'priority SMOLLINT') : text,
    );
    await expect(adopt(proxy.url)).rejects.toMatchObject({
      exitCode: EXIT.config,
      message: expect.stringMatching(/refused to alter background_jobs, and nothing of it was changed: /),
    });
    expect((await rows('SHOW CREATE TABLE background_jobs'))[0]).toEqual(before);
    expect(await adopt()).toBe(EXIT.ok);
  });

  test('is left as it is when an open transaction holds it', async () => {
    await sql(CLASSIC, ROWS);
    const holder = await db.pool.getConnection();
    await holder.query('START TRANSACTION');
    await holder.query('SELECT * FROM background_jobs');
    const impatient = await startProxy(db.urls.migrator, (text) =>
      text.replace('lock_wait_timeout = 10', 'lock_wait_timeout = 1'),
    );
    await expect(adopt(impatient.url)).rejects.toMatchObject({
      exitCode: EXIT.unreachable,
      message: expect.stringMatching(/waited 10 s for an open transaction/),
    });
    await holder.query('ROLLBACK');
    holder.release();
    expect(await adopt()).toBe(EXIT.ok);
  });
});

describe('an adoption that dies', () => {
  test.each([
    ['before', CUT_BEFORE],
    ['after', CUT_AFTER],
  ] as const)('%s any of its statements loses nothing and goes on to the end', async (_, cut) => {
    let died = true;
    let statement = 0;
    for (; died; statement++) {
      await sql(
        'DROP TABLE IF EXISTS background_jobs, background_job_migrations, background_job_queues, background_job_runs, background_job_errors, background_job_schedules',
        CLASSIC,
        ROWS,
      );
      let writes = 0;
      died = false;
      const proxy = await startProxy(db.urls.migrator, (text) => {
        if (!/^\s*(CREATE|INSERT|ALTER|DELETE|SELECT RELEASE_LOCK)/.test(text) || writes++ !== statement) return text;
        died = true;
        return cut;
      });
      const first = await adopt(proxy.url).catch(() => 'died');
      if (died) {
        expect(first).toBe('died');
        const [count] = await rows('SELECT COUNT(*) AS count FROM background_jobs');
        expect(count).toEqual({ count: 4 });
        expect(await adopt()).toBe(EXIT.ok);
      }
      expect(await rows('SELECT id, status FROM background_jobs ORDER BY id')).toEqual([
        { id: 3, status: 'pending' },
        { id: 4, status: 'running' },
        { id: 7, status: 'completed' },
        { id: 9, status: 'failed' },
      ]);
      expect(await rows('SELECT queue FROM background_job_queues WHERE paused_at IS NOT NULL')).toEqual([
        { queue: 'default' },
      ]);
      await proxy.close();
    }
    // migrations table, canary, 0001: begun, four tables, finished; pause, ALTER, pause, finished, lock
    expect(statement - 1).toBe(13);
  });

  test('in the tables beside asks for --adopt again', async () => {
    await sql(CLASSIC, ROWS);
    const proxy = await startProxy(db.urls.migrator, (text) =>
      /background_job_schedules \(/.test(text) ? CUT_BEFORE : text,
    );
    await expect(adopt(proxy.url)).rejects.toThrow();
    await expect(run()).rejects.toThrow(/run rowlock migrate --adopt/);
    expect(await adopt()).toBe(EXIT.ok);
  });
});

/** The columns and keys, but for the id and those that are not Rowlock's, are those of a new table. */
async function expectSameColumnsAsFresh(): Promise<void> {
  const fresh = await createDatabase({ migrated: false });
  await run({}, fresh.url);
  const shapeOf = async (schema: string) => {
    const [columns] = await db.pool.query(
      `SELECT LOWER(COLUMN_NAME) AS name, COLUMN_TYPE, CHARACTER_SET_NAME, COLLATION_NAME, IS_NULLABLE, COLUMN_DEFAULT, EXTRA FROM information_schema.COLUMNS
        WHERE TABLE_SCHEMA = ? AND TABLE_NAME = 'background_jobs' AND COLUMN_NAME NOT IN ('id', 'customer_id', 'note', 'born', 'error_text', 'parent_id') ORDER BY COLUMN_NAME`,
      [schema],
    );
    const [keys] = await db.pool.query(
      `SELECT INDEX_NAME, NON_UNIQUE, SEQ_IN_INDEX, LOWER(COLUMN_NAME) AS name, SUB_PART FROM information_schema.STATISTICS
        WHERE TABLE_SCHEMA = ? AND TABLE_NAME = 'background_jobs' AND INDEX_NAME IN ('PRIMARY', 'one_per_unique_key', 'claim_order') ORDER BY 1, 3`,
      [schema],
    );
    const [tables] = await db.pool.query(
      `SELECT ENGINE, ROW_FORMAT FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME = 'background_jobs'`,
      [schema],
    );
    return { columns, keys, tables };
  };
  expect(await shapeOf(db.name)).toEqual(await shapeOf(fresh.name));
  await fresh.drop();
}
