import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConnectionSettings } from '../src/config';
import { text } from '../src/db/statements';
import { isUnrecoverable, messageOf } from '../src/errors';
import { bind } from '../src/jobs/named-query';
import { type ReportResult, reportGenerate } from '../src/jobs/report-generate';
import type { JobContext } from '../src/worker/define';
import { validate } from '../src/worker/payload';
import { createDatabase, type TestDatabase } from './support/database';
import { until } from './support/until';

const root = mkdtempSync(join(tmpdir(), 'rowlock-reports-'));
const reportsFolder = join(root, 'sql');
mkdirSync(reportsFolder);
afterAll(() => rmSync(root, { recursive: true }));

let db: TestDatabase;
let database: ConnectionSettings;
let reportDir: string;
beforeAll(async () => {
  db = await createDatabase();
  const { hostname, port, username, password } = new URL(db.urls.worker);
  database = {
    host: hostname,
    port: Number(port),
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    database: db.name,
  };
});
beforeEach(() => {
  reportDir = mkdtempSync(join(root, 'out-'));
});

const define = (name: string, sql: string) => writeFileSync(join(reportsFolder, `${name}.sql`), sql);
const content = (file: string) => readFileSync(join(reportDir, file), 'utf8');
const thrownBy = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

async function generate(
  payload: unknown,
  { signal = new AbortController().signal, id = 7, attempt = 1, folder = reportDir, server = database } = {},
) {
  const { payload: schema, run } = reportGenerate({ reportDir: folder, database: server, reportsFolder });
  const checked = schema === undefined ? { refused: 'no schema' } : await validate(schema, payload);
  if (checked.refused !== undefined) throw new Error(checked.refused);
  return (await run(checked.value, { job: { id, attempt }, signal } as JobContext)) as ReportResult;
}

const VALUES = `SELECT 9223372036854775807 AS big, CAST('12345678901234567.80' AS DECIMAL(30,2)) AS amount, NULL AS nothing, '' AS blank,
  :text AS quoted, TIMESTAMP'2026-01-02 03:04:05.678' AS at, x'00ff' AS bytes, '=1+1' AS formula, -5 AS minus, '+49 30 12' AS phone, '-2+x' AS cell`;
const TEXT = `it's "quoted", \\ and\n😀`;

describe('what is written', () => {
  test('CSV with exact numbers, dates as text, NULL unlike the empty text, and formulas disarmed', async () => {
    define('vals', VALUES);
    const result = await generate({ report: 'vals', params: { text: TEXT } });
    const lines = [
      'big,amount,nothing,blank,quoted,at,bytes,formula,minus,phone,cell',
      `9223372036854775807,12345678901234567.80,,"","it's ""quoted"", \\ and\n😀",2026-01-02 03:04:05.678,AP8=,'=1+1,-5,+49 30 12,'-2+x`,
      '',
    ];
    expect(content('vals-7.csv')).toBe(lines.join('\n'));
    expect(result).toEqual({ file: 'vals-7.csv', rows: 1, bytes: Buffer.byteLength(lines.join('\n')) });
  });

  test('CSV with formulas as they are, where that is asked for', async () => {
    define('formula', "SELECT '=1+1' AS a");
    await generate({ report: 'formula', escapeFormulas: false });
    expect(content('formula-7.csv')).toBe('a\n=1+1\n');
  });

  test('NDJSON with exact numbers', async () => {
    define('vals', VALUES);
    await generate({ report: 'vals', params: { text: TEXT }, format: 'ndjson', file: 'mine.ndjson' });
    expect(content('mine.ndjson')).toBe(
      `{"big":9223372036854775807,"amount":12345678901234567.80,"nothing":null,"blank":"","quoted":${JSON.stringify(TEXT)},` +
        `"at":"2026-01-02 03:04:05.678","bytes":"AP8=","formula":"=1+1","minus":-5,"phone":"+49 30 12","cell":"-2+x"}\n`,
    );
  });

  test('a header alone where there are no rows', async () => {
    define('none', 'SELECT 1 AS a, 2 AS b FROM DUAL WHERE 1 = 0');
    expect(await generate({ report: 'none' })).toEqual({ file: 'none-7.csv', rows: 0, bytes: 4 });
    expect(content('none-7.csv')).toBe('a,b\n');
    expect((await generate({ report: 'none', format: 'ndjson' })).bytes).toBe(0);
  });

  test('200,000 rows in constant memory, and no transaction is held', async () => {
    define(
      'many',
      `WITH RECURSIVE d (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM d WHERE n < 447)
      SELECT a.n AS a, b.n AS b, REPEAT('x', 500) AS pad FROM d AS a CROSS JOIN d AS b`,
    );
    const before = process.memoryUsage().rss;
    const result = await generate({ report: 'many' });
    expect(result.rows).toBe(448 * 448);
    expect(statSync(join(reportDir, result.file)).size).toBe(result.bytes);
    expect(process.memoryUsage().rss - before).toBeLessThan(80e6);
    expect(readdirSync(reportDir)).toEqual(['many-7.csv']);
  });

  test('the reports that ship with Rowlock, over its own tables', async () => {
    await db.pool.query(
      `INSERT INTO background_jobs (job_type, status, attempts, created_at, started_at, processed_at, last_error)
       VALUES ('mail', 'completed', 1, '2026-11-02 10:00:00', '2026-11-02 10:00:01', '2026-11-02 10:00:03', NULL),
              ('mail', 'failed', 8, '2026-11-02 11:00:00', '2026-11-02 11:00:00', '2026-11-02 11:00:00', 'no such user'),
              ('mail', 'pending', 0, '2026-10-01 10:00:00', NULL, NULL, NULL)`,
    );
    await generate({ report: 'jobs_by_day', params: { since: '2026-11-01' }, file: 'days.csv' });
    expect(content('days.csv')).toBe(
      'day,job_type,enqueued,completed,failed,unfinished,attempts,mean_seconds\n2026-11-02,mail,2,1,1,0,9,1.000\n',
    );
    await generate({ report: 'failed_jobs', params: { since: '2026-11-01' }, file: 'failed.csv' });
    expect(content('failed.csv')).toContain(
      '2,mail,default,8,0,2026-11-02 11:00:00.000,2026-11-02 11:00:00.000,no such user\n',
    );
  });
});

describe('parameters', () => {
  const sql =
    'SELECT \':no\', `a:no`, "q\\":no", @x := 1 /* :no */ FROM t -- :no\n WHERE a = :a AND b IN ( :b ) LIMIT :n; # :no';

  test('are bound where SQL has a name, and nowhere else', () => {
    expect(bind(sql, { a: "x' OR '1'='1", b: [1, "'"], n: 5n }, 'r')).toBe(
      "SELECT ':no', `a:no`, \"q\\\":no\", @x := 1 /* :no */ FROM t \n WHERE a = 'x\\' OR \\'1\\'=\\'1' AND b IN ( 1, '\\'' ) LIMIT 5",
    );
  });

  test.each<[string, Record<string, string | string[]>, string]>([
    ['missing', { a: '1', b: '2' }, 'parameter "n" is missing'],
    ['unknown', { a: '1', b: '2', n: '3', constructor: '4' }, 'parameter "constructor" is unknown; it takes a, b, n'],
    ['a list for one value', { a: ['1'], b: '2', n: '3' }, 'parameter "a" takes one value, no list'],
  ])('%s: it fails for good', (_name, params, fault) => {
    const error = (() => {
      try {
        return bind(sql, params, 'r');
      } catch (thrown) {
        return thrown;
      }
    })();
    expect(isUnrecoverable(error)).toBe(true);
    expect(messageOf(error)).toContain(fault);
  });

  test('are quoted with backslashes, so the session takes them, whatever the server is set to', async () => {
    const connection = await db.pool.getConnection();
    await connection.query("SET SESSION sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,STRICT_ALL_TABLES'");
    await connection.query(text('set_report_session'));
    const [rows] = await connection.query('SELECT @@SESSION.sql_mode AS mode');
    connection.destroy();
    expect(rows).toEqual([{ mode: 'ANSI_QUOTES,STRICT_ALL_TABLES' }]);
  });
});

describe('a payload cannot', () => {
  test.each([
    ['carry SQL', { report: 'vals; DROP TABLE x' }, 'report: is no name'],
    ['name a path', { report: '../queries/kill_query' }, 'report: is no name'],
    ['leave the report folder', { report: 'vals', file: '../x.csv' }, 'file: is no plain file name'],
    ['write a hidden file', { report: 'vals', file: '.ssh' }, 'file: is no plain file name'],
    ['pass an object', { report: 'vals', params: { text: { toSqlString: 1 } } }, 'params.text: is no text'],
    ['choose another format', { report: 'vals', format: 'xml' }, 'format: is neither'],
    ['have other fields', { report: 'vals', sql: 'SELECT 1' }, 'Unrecognized key'],
  ])('%s', async (_name, payload, fault) => {
    await expect(generate(payload)).rejects.toThrow(fault);
  });

  test('follow a symbolic link: the link is replaced', async () => {
    define('one', 'SELECT 1 AS a');
    writeFileSync(join(root, 'outside'), 'kept');
    symlinkSync(join(root, 'outside'), join(reportDir, 'link.csv'));
    await generate({ report: 'one', file: 'link.csv' });
    expect(readFileSync(join(root, 'outside'), 'utf8')).toBe('kept');
    expect(content('link.csv')).toBe('a\n1\n');
  });

  test('ask for a report that is not there: it fails for good', async () => {
    const error = await thrownBy(generate({ report: 'nope' }));
    expect(isUnrecoverable(error)).toBe(true);
    expect(messageOf(error)).toContain(`there is no report nope; add nope.sql to ${reportsFolder}`);
  });
});

describe('what goes wrong is tried again, and leaves no file', () => {
  async function expectRetry(error: unknown, words: string | RegExp) {
    expect(isUnrecoverable(error)).toBe(false);
    expect(messageOf(error)).toMatch(words);
    expect(readdirSync(reportDir)).toEqual([]);
  }

  test.each([
    ['SQL with a mistake', 'SELEC 1', /the query's database at .*ER_PARSE_ERROR/],
    ['a file that writes', 'DELETE FROM background_jobs', /READ ONLY transaction/],
    ['a file that gives no rows', 'DO 1', /must hold one SELECT/],
    ['two statements', 'SELECT 1; SELECT 2', /ER_PARSE_ERROR/],
  ])('%s', async (_name, sql, words) => {
    define('faulty', sql);
    await expectRetry(await thrownBy(generate({ report: 'faulty' })), words);
  });

  test('two columns of one name, which NDJSON cannot hold', async () => {
    define('twice', 'SELECT 1 AS a, 2 AS a');
    await expectRetry(await thrownBy(generate({ report: 'twice', format: 'ndjson' })), 'two columns named a');
  });

  test('a server that is down', async () => {
    define('one', 'SELECT 1 AS a');
    await expectRetry(
      await thrownBy(generate({ report: 'one' }, { server: { ...database, port: 1 } })),
      /query's database at .*ECONNREFUSED/,
    );
  });

  test('a row that fails after others have come', async () => {
    define(
      'late',
      "WITH RECURSIVE d (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM d WHERE n < 900) SELECT n, REPEAT('x', 1000) AS pad, IF(n = 900, (SELECT 1 UNION SELECT 2), 0) AS last FROM d",
    );
    await expectRetry(await thrownBy(generate({ report: 'late' })), /more than 1 row/);
  });

  test('a connection that is killed while rows come', async () => {
    define(
      'killed',
      "WITH RECURSIVE d (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM d WHERE n < 900) SELECT n, REPEAT('x', 2000) AS pad, SLEEP(0.02) AS nap, 'marker-killed' AS m FROM d",
    );
    const failing = thrownBy(generate({ report: 'killed' }));
    const id = await until(() => sessionOf('marker-killed'), 'the query runs');
    await until(() => readdirSync(reportDir).length > 0, 'the file is begun');
    await db.pool.query(`KILL ${id}`);
    await expectRetry(await failing, /the query's database at/);
  });

  test('an abort, which ends the query on the server too', async () => {
    define('slow', "SELECT SLEEP(600) AS nap, 'marker-slow' AS m");
    const abort = new AbortController();
    const failing = thrownBy(generate({ report: 'slow' }, { signal: abort.signal }));
    await until(() => sessionOf('marker-slow'), 'the query runs');
    abort.abort();
    await expectRetry(await failing, 'aborted');
    await until(async () => (await sessionOf('marker-slow')) === undefined, 'the query has ended');
  });

  test('a report folder that is a file', async () => {
    define('one', 'SELECT 1 AS a');
    writeFileSync(join(root, 'file'), '');
    await expectRetry(
      await thrownBy(generate({ report: 'one' }, { folder: join(root, 'file', 'sub') })),
      /cannot be written to .*ENOTDIR.*REPORT_DIR/,
    );
  });

  test('a folder where the file should be', async () => {
    define('one', 'SELECT 1 AS a');
    mkdirSync(join(reportDir, 'taken.csv'));
    expect(messageOf(await thrownBy(generate({ report: 'one', file: 'taken.csv' })))).toMatch(/a folder has that name/);
    expect(readdirSync(reportDir)).toEqual(['taken.csv']);
  });

  /** Only root may mount; elsewhere there is no disk that can be filled. */
  const small = join(root, 'small');
  const canMount = mountSmall(small);
  afterAll(() => {
    if (canMount) execFileSync('umount', [small]);
  });

  (canMount ? test : test.skip)('a full disk', async () => {
    define(
      'wide',
      "WITH RECURSIVE d (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM d WHERE n < 900) SELECT REPEAT('x', 1000) AS pad FROM d",
    );
    const error = await thrownBy(generate({ report: 'wide' }, { folder: small }));
    expect(isUnrecoverable(error)).toBe(false);
    expect(messageOf(error)).toMatch(/cannot be written to .*ENOSPC.*free some space/);
    expect(readdirSync(small)).toEqual([]);
  });
});

test('an earlier attempt that was cut off leaves nothing behind', async () => {
  define('one', 'SELECT 1 AS a');
  writeFileSync(join(reportDir, '.one-7.csv.7-1.tmp'), 'half');
  writeFileSync(join(reportDir, '.one-7.csv.70-1.tmp'), "another job's");
  await generate({ report: 'one' }, { attempt: 2 });
  expect(readdirSync(reportDir)).toEqual(['.one-7.csv.70-1.tmp', 'one-7.csv']);
});

async function sessionOf(marker: string): Promise<number | undefined> {
  const [rows] = await db.pool.query(
    'SELECT id FROM information_schema.processlist WHERE info LIKE ? AND id <> CONNECTION_ID()',
    [`%'${marker}' AS m%`],
  );
  return (rows as { id?: number; ID?: number }[]).map(({ id, ID }) => id ?? ID)[0];
}

function mountSmall(folder: string): boolean {
  mkdirSync(folder);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder], { stdio: 'ignore' });
    return existsSync(folder);
  } catch {
    return false; // not root, or a container that may not mount
  }
}
