import { execFile, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createConnection, type RowDataPacket } from 'mysql2/promise';
import { adoptText } from '../src/db/adopt-statements';
import { migrate } from '../src/db/migrate';
import { listMigrations, readStatements } from '../src/db/migrations';
import { SQL_FOLDER, text } from '../src/db/statements';
import { createDatabase, type TestDatabase } from './support/database';
import { withPool } from './support/tables';
import { createUsers, GRANTS, RIGHTS, ROLES, type Role } from './support/users';

/** A DBA has one of them; a machine that tests in Docker may not. */
const CLIENT = ['mariadb', 'mysql'].find((name) => spawnSync(name, ['--version']).status === 0);

let db: TestDatabase;

beforeAll(async () => {
  db = await createDatabase();
});

const accountOf = (role: Role) => `'${db.users.names[role]}'@'%'`;

/** The number of the server's error; 0: it did it. Nothing of it stays, but for DDL. */
async function ask(role: Role, ...statements: string[]): Promise<number[]> {
  const connection = await createConnection({ uri: db.urls[role] });
  const answers: number[] = [];
  try {
    for (const statement of statements) {
      await connection.query('START TRANSACTION');
      answers.push(
        await connection.query(statement).then(
          () => 0,
          (error: { errno: number }) => error.errno,
        ),
      );
      await connection.query('ROLLBACK');
    }
  } finally {
    await connection.end();
  }
  return answers;
}

const DENIED = [1142, 1143, 1044, 1227];

async function showGrants(): Promise<string[]> {
  const shown: string[] = [];
  for (const role of ROLES) {
    const [user] = await db.pool.query<RowDataPacket[]>(`SHOW CREATE USER ${accountOf(role)}`);
    const [rows] = await db.pool.query<RowDataPacket[]>(`SHOW GRANTS FOR ${accountOf(role)}`);
    shown.push(...[...user, ...rows].map((row) => String(Object.values(row)[0])));
  }
  return shown.sort(); // MariaDB tells them in any order
}

describe('the file', () => {
  test('changes nothing when it is run again: no right, no password, no lock', async () => {
    const before = await showGrants();
    await db.users.grant();
    expect(await showGrants()).toEqual(before);
  });

  test('grants nothing outside of its database, and nothing to be handed on', async () => {
    for (const grant of await showGrants()) {
      expect(grant).not.toMatch(/ALL PRIVILEGES|GRANT OPTION/);
      if (grant.startsWith('GRANT USAGE ON *.*') || !grant.startsWith('GRANT')) continue;
      expect(grant).toContain(` ON \`${db.name}\`.`);
    }
  });

  test('makes users that nobody can come in as', async () => {
    const { names } = db.users;
    const renamed = Object.fromEntries(ROLES.map((role) => [role, `${names[role]}s`])) as Record<Role, string>;
    const sql = ROLES.reduce((file, role) => file.replaceAll(`'rowlock_${role}'`, `'${renamed[role]}'`), GRANTS);
    try {
      await db.users.grant(sql);
      for (const role of ROLES) {
        const url = new URL(db.urls[role]);
        [url.username, url.password] = [renamed[role], ''];
        await expect(createConnection({ uri: url.href })).rejects.toMatchObject({
          message: expect.stringMatching(/locked/),
        });
      }
    } finally {
      await db.pool.query(`DROP USER ${ROLES.map((role) => `'${renamed[role]}'@'%'`).join()}`);
    }
  });

  test('has what doctor wants to look at as comments, to be granted where somebody wants it', async () => {
    const looks = ['SELECT 1 FROM information_schema.INNODB_TRX', text('lock_canary')];
    await db.users.uncomment('worker', 'PROCESS');
    await db.users.uncomment('worker', 'UPDATE (version)');
    await db.users.uncomment('worker', 'REPLICATION CLIENT');
    expect(await ask('worker', ...looks)).toEqual([0, 0]);
    await db.pool.query(`REVOKE PROCESS, REPLICATION CLIENT ON *.* FROM ${accountOf('worker')}`);
    await db.pool.query(`REVOKE UPDATE (version) ON background_job_migrations FROM ${accountOf('worker')}`);
    expect(await ask('worker', ...looks)).toContain(1227);
  });

  test('cannot be run by a user that may not grant; the tests say so, too', async () => {
    await expect(createUsers(new URL(db.urls.worker))).rejects.toThrow(
      /^the tests run as users of their own: the user of ROWLOCK_TEST_DATABASE_URL needs ALL PRIVILEGES/,
    );
  });

  test('grants nothing where no database is chosen', async () => {
    const server = new URL(db.url);
    server.pathname = '';
    await expect(createUsers(server)).rejects.toMatchObject({ code: 'ER_NO_DB_ERROR' });
  });

  if (CLIENT === undefined)
    process.stderr.write('rowlock: no plain client reads sql/grants.sql here; mariadb and mysql are missing\n');
  const testClient = CLIENT === undefined ? test.skip : test;
  testClient('is one that the plain client reads, from its first line to its last', async () => {
    const before = await showGrants();
    const sql = ROLES.reduce((file, role) => file.replaceAll(`'rowlock_${role}'`, `'${db.users.names[role]}'`), GRANTS);
    await runClient(sql);
    expect(await showGrants()).toEqual(before);
    await expect(runClient(`${sql}\nSELECT nothing;`)).rejects.toThrow(/nothing/);
  });
});

async function runClient(sql: string): Promise<void> {
  const { hostname, port, username, password } = new URL(db.url);
  const args = ['-h', hostname, '-P', port, '-u', decodeURIComponent(username), db.name];
  const env = { ...process.env, MYSQL_PWD: decodeURIComponent(password) };
  const running = promisify(execFile)(CLIENT ?? '', args, { env });
  running.child.stdin?.end(sql);
  await running;
}

interface Statement {
  name: string;
  sql: string;
  verb: string;
  tables: string[];
}

/**
 * Every statement that Rowlock sends, but for those that need no right, which would change the session of the
 * next, and those that doctor asks of the whole server and can do without.
 */
const STATEMENTS: Statement[] = readdirSync(join(SQL_FOLDER, 'queries'))
  .map((file) => file.replace('.sql', ''))
  .map((name) => ({ name, sql: text(name) }))
  .filter(({ sql }) => !/^SET |^SHOW |information_schema\.INNODB_|\{/.test(sql))
  .map(({ name, sql }) => ({
    name,
    sql: fill(sql),
    verb: /^\w+/.exec(sql)?.[0] ?? '',
    tables: [...new Set(sql.match(/(?<!')\bbackground_job\w+/g))],
  }));

/** Values with which the server can parse the statement. It looks at privileges before it looks at them. */
function fill(sql: string): string {
  return sql
    .replace(
      /\(([^)]*)\)\s+VALUES :rows/,
      (_, columns: string) => `(${columns}) VALUES (${columns.replaceAll(/\w+/g, '7')})`,
    )
    .replaceAll(':outcomes', "'[]'")
    .replaceAll(/:[a-zA-Z]+/g, '1000000');
}

const isLocking = ({ sql }: Statement): boolean => sql.includes('FOR UPDATE');

const MIGRATIONS = 'background_job_migrations';

/** What each may send. On MariaDB whoever may read a row may lock it: there only the worker's locks are looked at. */
const MAY: Record<Role, (statement: Statement) => boolean> = {
  producer: ({ name, tables }) =>
    tables.length === 0 || ['insert_jobs', 'insert_plain_jobs', 'list_migrations'].includes(name),
  worker: ({ verb, tables }) => verb === 'SELECT' || !tables.includes(MIGRATIONS),
  viewer: ({ verb, tables }) => verb === 'SELECT' || tables.length === 0,
  migrator: ({ verb, tables }) =>
    tables.every((table) => [MIGRATIONS, 'background_job_queues', 'background_jobs'].includes(table)) &&
    (verb === 'SELECT' || !tables.includes('background_jobs')),
};

describe('the statements of sql/queries', () => {
  test.each(ROLES)('%s: the server takes those of its work, and refuses the others', async (role) => {
    const asked = STATEMENTS.filter(
      (statement) => !isLocking(statement) || (role === 'worker' && !statement.tables.includes(MIGRATIONS)),
    );
    const answers = await ask(role, ...asked.map(({ sql }) => sql));
    const told = asked.map(
      ({ name }, index) => `${name}: ${DENIED.includes(answers[index] ?? 0) ? 'denied' : 'taken'}`,
    );
    expect(told).toEqual(asked.map((statement) => `${statement.name}: ${MAY[role](statement) ? 'taken' : 'denied'}`));
    // A statement that the server could not even parse would look like one that it takes.
    expect(asked.filter((_, index) => [1064, 1136, 1149].includes(answers[index] ?? 0))).toEqual([]);
  });
});

/** What the migrator sends besides. */
const DDL = [
  ...listMigrations().flatMap(readStatements),
  ...['alter_jobs', 'count_rows', 'pause_default'].map((name) => adoptText(name)),
].map((sql) => ({ sql, tables: [...(sql.match(/background_job\w+/g) ?? [])] }));

/** Rights to be shown what the information_schema hides. */
const LOOKS = ['TRIGGER', 'REFERENCES'];

describe('each right of the file', () => {
  test('is read from it', () => {
    expect(RIGHTS.length).toBeGreaterThan(50);
    expect(RIGHTS).toContainEqual({ role: 'worker', right: 'UPDATE (last_error)', table: 'background_jobs' });
  });

  test.each(ROLES)('%s: is one that a statement needs', async (role) => {
    const idle: string[] = [];
    const work = [
      ...STATEMENTS.filter((each) => MAY[role](each) && !isLocking(each)),
      ...(role === 'migrator' ? DDL : []),
    ];
    for (const { right, table } of RIGHTS.filter((each) => each.role === role && !LOOKS.includes(each.right))) {
      const asked = work.filter(({ tables }) => tables.includes(table));
      await db.pool.query(`REVOKE ${right} ON ${table} FROM ${accountOf(role)}`);
      const answers = await ask(role, ...asked.map(({ sql }) => sql));
      await db.pool.query(`GRANT ${right} ON ${table} TO ${accountOf(role)}`);
      if (!answers.some((errno) => DENIED.includes(errno))) idle.push(`${role}: ${right} ON ${table}`);
    }
    expect(idle).toEqual([]);
  });
});

test('the migrator is shown the triggers, and the foreign keys of other tables, that an adoption meets', async () => {
  const homeMade = await createDatabase({ migrated: false });
  for (const statement of [
    'CREATE TABLE background_jobs (id INT AUTO_INCREMENT PRIMARY KEY, job_type VARCHAR(100) NOT NULL, UNIQUE KEY (job_type)) ENGINE = InnoDB',
    'CREATE TABLE notes (job_type VARCHAR(100) NOT NULL, CONSTRAINT of_type FOREIGN KEY (job_type) REFERENCES background_jobs (job_type)) ENGINE = InnoDB',
    "CREATE TRIGGER watch BEFORE INSERT ON background_jobs FOR EACH ROW SET NEW.job_type = 'a'",
  ]) {
    await homeMade.pool.query(statement);
  }
  await expect(homeMade.users.grant()).rejects.toMatchObject({ code: 'ER_NO_SUCH_TABLE' });
  const refused = withPool(homeMade.urls.migrator, (pool) => migrate(pool, { adopt: true }));
  await expect(refused).rejects.toMatchObject({
    plan: {
      blockers: [{ subject: 'job_type', text: expect.stringMatching(/of_type \(notes\.job_type to /) }],
      notices: expect.arrayContaining([expect.stringMatching(/^the trigger watch will fire/)]),
    },
  });
  await homeMade.drop();
});

describe('what each cannot do', () => {
  const JOB = '(job_type, payload, queue, priority, run_at, unique_key, max_attempts)';
  const ELSEWHERE = [
    'SELECT * FROM customers',
    'INSERT INTO customers VALUES (2)',
    'UPDATE customers SET id = 3',
    'DELETE FROM customers',
    'CREATE TABLE other (id INT)',
    'CREATE TRIGGER other BEFORE INSERT ON customers FOR EACH ROW SET NEW.id = 1',
    'CREATE PROCEDURE other() SELECT 1',
    'CREATE USER other',
    'LOCK TABLES background_jobs WRITE',
    'SELECT * FROM mysql.user',
    'SELECT 1 FROM information_schema.INNODB_TRX',
    "SELECT 'x' INTO OUTFILE 'rowlock-grants'",
    'GRANT SELECT ON background_job_migrations TO CURRENT_USER()',
    'DROP TABLE customers',
  ];
  const ITS_TABLES = [
    'DROP TABLE background_jobs',
    'TRUNCATE background_jobs',
    'ALTER TABLE background_jobs ADD COLUMN x INT',
    'CREATE INDEX x ON background_jobs (queue)',
    'CREATE TRIGGER x BEFORE INSERT ON background_jobs FOR EACH ROW SET NEW.priority = 1',
    'RENAME TABLE background_jobs TO others',
    'UPDATE background_job_migrations SET applied_at = NULL',
    'DELETE FROM background_job_migrations',
    'INSERT INTO background_job_migrations VALUES (99, NULL)',
  ];
  const ITS_ROWS = [
    'DELETE FROM background_jobs',
    'DELETE FROM background_job_runs',
    'DELETE FROM background_job_errors',
    "UPDATE background_jobs SET status = 'completed'",
    'UPDATE background_job_runs SET finished_at = NOW(3)',
    "INSERT INTO background_job_runs (id, host, pid) VALUES (1, 'h', 1)",
    "INSERT INTO background_job_errors (job_id, attempt, error) VALUES (1, 1, '')",
  ];
  const CANNOT: Record<Role, string[]> = {
    producer: [
      ...ELSEWHERE,
      ...ITS_TABLES,
      ...ITS_ROWS,
      ...['status', 'attempts', 'crashes', 'run_id', 'created_at', 'processed_at', 'result', 'id'].map(
        (column) => `INSERT INTO background_jobs (job_type, ${column}) VALUES ('a', 1)`,
      ),
      "INSERT INTO background_jobs (job_type) VALUES ('a') ON DUPLICATE KEY UPDATE priority = 1",
      `REPLACE INTO background_jobs ${JOB} VALUES ('a', NULL, 'q', 0, NOW(3), 'k', 1)`,
      `INSERT INTO background_jobs (job_type, payload) SELECT job_type, payload FROM background_jobs`,
      'SELECT payload FROM background_jobs',
      'SELECT id FROM background_jobs',
      'SELECT COUNT(*) FROM background_jobs',
      'SELECT * FROM background_job_runs',
      'SELECT * FROM background_job_errors',
      "INSERT INTO background_job_queues (queue) VALUES ('mail')",
      'UPDATE background_job_queues SET paused_at = NULL',
    ],
    worker: [
      ...ELSEWHERE,
      ...ITS_TABLES,
      ...['id', 'job_type', 'payload', 'queue', 'priority', 'max_attempts', 'created_at'].map(
        (column) => `UPDATE background_jobs SET ${column} = ${column}`,
      ),
      "INSERT INTO background_jobs (job_type, status) VALUES ('a', 'completed')",
      'UPDATE background_job_errors SET error = error',
      'DELETE FROM background_job_queues',
      'DELETE FROM background_job_schedules',
    ],
    viewer: [
      ...ELSEWHERE,
      ...ITS_TABLES,
      ...ITS_ROWS,
      "INSERT INTO background_jobs (job_type) VALUES ('a')",
      "INSERT INTO background_job_queues (queue) VALUES ('mail')",
      'UPDATE background_job_queues SET paused_at = NULL',
      "INSERT INTO background_job_schedules (job_type, cron) VALUES ('a', '')",
    ],
    migrator: [
      ...ELSEWHERE,
      ...ITS_ROWS,
      "INSERT INTO background_jobs (job_type) VALUES ('a')",
      'DROP TABLE background_jobs',
      'TRUNCATE background_jobs',
      'ALTER TABLE background_job_runs ADD COLUMN x INT',
      'DROP TABLE background_job_migrations',
      'SELECT * FROM background_job_runs',
      'SELECT * FROM background_job_errors',
      'SELECT * FROM background_job_schedules',
      'DELETE FROM background_job_queues',
    ],
  };

  beforeAll(async () => {
    await db.pool.query('CREATE TABLE customers (id INT PRIMARY KEY)');
  });

  test.each(ROLES)('%s', async (role) => {
    const answers = await ask(role, ...CANNOT[role]);
    // 1419: what the binary log asks of a trigger, before anyone looks at the privilege.
    const refused = [...DENIED, 1419];
    const odd = CANNOT[role]
      .map((sql, index) => `${answers[index]} ${sql}`)
      .filter((_, index) => !refused.includes(answers[index] ?? 0));
    expect(odd).toEqual([]);
  });
});
