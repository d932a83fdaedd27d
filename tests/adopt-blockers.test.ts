import { migrateCommand } from '../src/commands/migrate';
import { EXIT } from '../src/errors';
import { createDatabase, type TestDatabase } from './support/database';
import { dumpDatabase, settingsFor } from './support/tables';

const family = async (db: TestDatabase): Promise<string> => {
  const [found] = await db.pool.query('SELECT VERSION() AS version');
  return /mariadb/i.test((found as { version: string }[])[0]?.version ?? '') ? 'MariaDB' : 'MySQL';
};

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

/** Runs the statements in one session whose SQL mode takes anything, as old servers did. */
async function sql(...statements: string[]): Promise<void> {
  const lax = await db.pool.getConnection();
  await lax.query("SET sql_mode = ''");
  for (const statement of statements) await lax.query(statement);
  lax.destroy();
}

/** What is named under "In the way", with --adopt given and nothing changed. */
async function findBlockers(): Promise<string[]> {
  const before = await dumpDatabase(db.pool);
  await expect(migrateCommand(settingsFor(db.urls.migrator), { adopt: true })).rejects.toMatchObject({
    exitCode: EXIT.config,
    message: expect.stringMatching(/cannot be adopted as it is; .*nothing was changed$/),
  });
  expect(await dumpDatabase(db.pool)).toEqual(before);
  return (printed.split('In the way:\n')[1] ?? '')
    .trimEnd()
    .split('\n')
    .map((line) => line.trim());
}

const table = (change: Record<string, string> = {}, tail = ''): string => {
  const columns = {
    id: 'INT NOT NULL AUTO_INCREMENT',
    job_type: 'VARCHAR(255) NOT NULL',
    payload: 'LONGTEXT',
    status: "VARCHAR(20) NOT NULL DEFAULT 'pending'",
    created_at: 'DATETIME NULL DEFAULT CURRENT_TIMESTAMP',
    processed_at: 'DATETIME NULL',
    ...change,
  };
  const lines = Object.entries(columns)
    .filter(([, type]) => type !== '')
    .map(([name, type]) => `${name} ${type}`);
  return `CREATE TABLE background_jobs (${[...lines, 'PRIMARY KEY (id)'].join(', ')}) ENGINE = InnoDB ${tail}`;
};

const insert = (columns: string, ...values: string[]): string =>
  `INSERT INTO background_jobs (${columns}) VALUES ${values.map((value) => `(${value})`).join(', ')}`;

const CASES: [what: string, statements: string[], named: RegExp[]][] = [
  [
    'text that is no JSON, with the first ids',
    [
      table(),
      insert(
        'job_type, payload',
        "'a', '{}'",
        "'b', ''",
        "'c', 'a:1:{}'",
        ...Array.from({ length: 9 }, () => "'d', 'x'"),
      ),
    ],
    [/^payload is text that is no JSON: .* \(ids 2, 3, 4, 5, 6 and more\)$/],
  ],
  [
    'JSON that nests too deep for the server',
    [table(), insert('job_type, payload', "'a', CONCAT(REPEAT('[', 200), REPEAT(']', 200))")],
    [
      /^payload is (text that is no JSON: .* \(id 1\)|JSON in some row that nests deeper than the server takes; UPDATE it)$/,
    ],
  ],
  [
    'other words for the status, each with its rows',
    [table(), insert('job_type, status', "'a', 'done'", "'b', 'done'", "'c', 'Pending'", "'d', 'failed'")],
    [
      /^status has the other word 'Pending' in 1 row; let your script write one of pending, running, completed, failed, then UPDATE these rows$/,
      /^status has the other word 'done' in 2 rows/,
    ],
  ],
  [
    'a status that is NULL',
    [table({ status: 'VARCHAR(20)' }), insert('job_type', "'a'"), 'UPDATE background_jobs SET status = NULL'],
    [/^status is NULL, but must have a value: UPDATE those rows \(id 1\)$/],
  ],
  [
    'a status of numbers',
    [table({ status: 'TINYINT NOT NULL' })],
    [/^status has the type tinyint(\(4\))? and cannot become enum\(.*RENAME COLUMN status TO old_status$/],
  ],
  [
    'a foreign key on a column that must change',
    [
      'CREATE TABLE types (name VARCHAR(100) NOT NULL PRIMARY KEY)',
      table({ job_type: 'VARCHAR(100) NOT NULL' }).replace(
        'PRIMARY KEY',
        'CONSTRAINT known_type FOREIGN KEY (job_type) REFERENCES types (name), PRIMARY KEY',
      ),
    ],
    [
      /^job_type must change, but the foreign key known_type \(background_jobs\.job_type to types\.name\) holds it; ALTER TABLE background_jobs DROP FOREIGN KEY known_type$/,
    ],
  ],
  [
    'a foreign key of a child on a column that must change',
    [
      table().replace('PRIMARY KEY', 'UNIQUE KEY by_type (job_type), PRIMARY KEY'),
      'CREATE TABLE children (job_type VARCHAR(255) NOT NULL, CONSTRAINT of_type FOREIGN KEY (job_type) REFERENCES background_jobs (job_type))',
    ],
    [/^job_type must change, but the foreign key of_type .* ALTER TABLE children DROP FOREIGN KEY of_type$/],
  ],
  [
    'an id that is text',
    [table({ id: 'CHAR(36) NOT NULL' })],
    [
      /^id has the type char\(36\), no integer and is not AUTO_INCREMENT; make it an AUTO_INCREMENT integer PRIMARY KEY$/,
    ],
  ],
  [
    'an id that is not the primary key by itself',
    [table().replace('PRIMARY KEY (id)', 'PRIMARY KEY (id, job_type)')],
    [/^id is not the primary key by itself/],
  ],
  [
    'no id',
    [table({ id: '', job_id: 'INT NOT NULL AUTO_INCREMENT' }).replace('PRIMARY KEY (id)', 'PRIMARY KEY (job_id)')],
    [/^id is missing; rename the primary key to id$/],
  ],
  [
    'columns of the same name and other types',
    [table({ priority: "VARCHAR(10) NOT NULL DEFAULT 'high'", queue: 'INT NOT NULL DEFAULT 1', run_id: 'CHAR(36)' })],
    [
      /^queue has the type int/,
      /^priority has the type varchar\(10\) and cannot become smallint;/,
      /^run_id has the type char\(36\)/,
    ],
  ],
  ['a payload of bytes', [table({ payload: 'LONGBLOB' })], [/^payload has the type longblob and cannot become json/]],
  [
    'a column that is computed',
    [table({ priority: 'SMALLINT AS (id + 1) STORED' }).replace('(id + 1)', '(LENGTH(job_type))')],
    [/^priority is computed from other columns/],
  ],
  [
    'keys that would be the same',
    [
      table({ unique_key: 'VARCHAR(50)' }),
      insert('job_type, unique_key', "'a', 'k'", "'a', 'K'", "'b', 'k'", "'a', 'k'"),
    ],
    [/^unique_key is the same in two rows of one job_type; UPDATE one to NULL \(id 4\)$/],
  ],
  [
    'zero dates and dates that a TIMESTAMP cannot hold',
    [
      table(),
      insert(
        'job_type, created_at, processed_at',
        "'a', '0000-00-00', NULL",
        "'b', '1969-12-31', NULL",
        "'c', '2038-02-01', '2040-01-01'",
        "'d', '2026-01-01', NULL",
        "'e', '2026-00-10', NULL",
      ),
    ],
    [
      /^created_at is a time that TIMESTAMP cannot hold: .* \(ids 1, 2, 3, 5\)$/,
      /^processed_at is a time .* \(id 3\)$/,
    ],
  ],
  [
    'a creation that is NULL',
    [table(), insert('job_type, created_at', "'a', NULL")],
    [/^created_at is NULL, but must have a value/],
  ],
  [
    'a job type that is too long',
    [table({ job_type: 'TEXT NOT NULL' }), insert('job_type', "REPEAT('x', 256)", "REPEAT('\u00e9', 255)")],
    [/^job_type is longer than 255 characters \(id 1\)$/],
  ],
  [
    'an error that is too large',
    [table({ last_error: 'LONGTEXT' }), insert('job_type, last_error', "'a', REPEAT('\u00e9', 40000)")],
    [/^last_error is larger than 65535 bytes \(id 1\)$/],
  ],
  [
    'a number that does not fit',
    [
      table({ priority: 'INT NOT NULL DEFAULT 0', max_attempts: 'INT' }),
      insert('job_type, priority, max_attempts', "'a', 40000, -1"),
    ],
    [/^priority is not within -32768 and 32767 \(id 1\)$/, /^max_attempts is not within 0 and 4294967295 \(id 1\)$/],
  ],
  [
    'rows that run under a run of another design',
    [table({ run_id: 'INT' }), insert('job_type, status, run_id', "'a', 'running', 5", "'b', 'completed', 5")],
    [/^run_id is set in running rows.* \(id 1\)$/],
  ],
  [
    'rows with no type and no status',
    [table({ job_type: '', status: '' }), insert('payload', "'{}'")],
    [/^job_type is missing, and there are rows/, /^status is missing, and there are rows/],
  ],
  [
    'partitions',
    [table({}, 'PARTITION BY HASH (id) PARTITIONS 2')],
    [/^background_jobs is partitioned; ALTER TABLE background_jobs REMOVE PARTITIONING$/],
  ],
  [
    'another engine',
    [table({ payload: 'VARCHAR(50)' }).replace('InnoDB', 'MEMORY')],
    [/^background_jobs has the engine MEMORY; ALTER TABLE background_jobs ENGINE = InnoDB$/],
  ],
  [
    'a view',
    [table().replace('background_jobs', 'real_jobs'), 'CREATE VIEW background_jobs AS SELECT * FROM real_jobs'],
    [/^background_jobs is a view, not a plain table/],
  ],
  [
    'a key of the same name over other columns',
    [table().replace('PRIMARY KEY', 'KEY claim_order (status), PRIMARY KEY')],
    [/^claim_order is the name of a key over other columns/],
  ],
];

describe('what stands in the way of an adoption is named, and nothing is changed', () => {
  test.each(CASES)('%s', async (_, statements, named) => {
    await sql(...statements);
    const blockers = await findBlockers();
    expect(blockers).toEqual(named.map((expected) => expect.stringMatching(expected)));
  });

  test('a key over the payload, where JSON can be in none', async () => {
    await sql(table().replace('PRIMARY KEY', 'KEY by_payload (payload(20)), PRIMARY KEY'));
    if ((await family(db)) === 'MariaDB')
      return expect(await migrateCommand(settingsFor(db.urls.migrator), { adopt: true })).toBe(EXIT.ok);
    expect(await findBlockers()).toEqual([
      expect.stringMatching(/^payload is in the key by_payload, .*DROP INDEX by_payload$/),
    ]);
  });

  test('an ENUM with another word is mended as the line says', async () => {
    await sql(table({ status: "ENUM('pending', 'done') NOT NULL" }), insert('job_type, status', "'a', 'done'"));
    const [line] = await findBlockers();
    const mend = /ALTER TABLE .*(?=, then UPDATE)/.exec(line ?? '')?.[0] ?? '';
    await sql(mend, "UPDATE background_jobs SET status = 'completed'");
    expect(await migrateCommand(settingsFor(db.urls.migrator), { adopt: true })).toBe(EXIT.ok);
  });

  test('everything at once', async () => {
    await sql(
      table({ queue: 'INT NOT NULL DEFAULT 1' }),
      insert('job_type, payload, status, created_at', "'a', 'x', 'done', '0000-00-00'"),
    );
    expect((await findBlockers()).map((line) => line.split(' ')[0])).toEqual([
      'queue',
      'payload',
      'status',
      'created_at',
    ]);
  });

  test('numbers that the server would round are noted', async () => {
    await sql(
      table(),
      insert('job_type, payload', "'a', '{\"n\": 123456789012345678901234}'", "'b', '[9007199254740993]'"),
    );
    await expect(migrateCommand(settingsFor(db.urls.migrator), {})).rejects.toThrow();
    if ((await family(db)) === 'MySQL') expect(printed).toMatch(/Note: payload seems to hold numbers .* \(id 1\)/);
    await migrateCommand(settingsFor(db.urls.migrator), { adopt: true });
    const [found] = await db.pool.query('SELECT CAST(payload AS CHAR) AS payload FROM background_jobs WHERE id = 2');
    expect(found).toEqual([{ payload: '[9007199254740993]' }]);
  });
});
