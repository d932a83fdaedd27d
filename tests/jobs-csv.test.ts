import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDatabase, type TestDatabase } from './support/database';
import { type Ended, rowlock, start } from './support/rowlock';
import { insertJob, readJob } from './support/rows';
import { until } from './support/until';

const root = mkdtempSync(join(tmpdir(), 'rowlock-csv-'));
const files = join(root, 'files');
mkdirSync(files);
afterAll(() => rmSync(root, { recursive: true }));

let db: TestDatabase;

/** Each import has a table of its own, as they share a run. */
let tables = 0;
const CUSTOMERS =
  'id INT PRIMARY KEY, name VARCHAR(20) NOT NULL, city VARCHAR(20), born DATE, visits INT NOT NULL DEFAULT 7';

beforeAll(async () => {
  db = await createDatabase();
});

const put = (name: string, content: string | Buffer): string => {
  writeFileSync(join(files, name), content);
  return name;
};

async function createTable(columns = CUSTOMERS, engine = 'InnoDB'): Promise<string> {
  const table = `customers_${++tables}`;
  await db.pool.query(`CREATE TABLE ${table} (${columns}) ENGINE = ${engine}`);
  await db.users.allow('worker', 'SELECT, INSERT, UPDATE', table);
  return table;
}

const settings = (): Record<string, string> => ({
  DATABASE_URL: db.urls.worker,
  JOB_FILES_DIR: files,
  CSV_IMPORT_TABLES: ['missing', ...Array.from({ length: tables }, (_, index) => `customers_${index + 1}`)].join(),
});

const run = (env: Record<string, string> = {}): Promise<Ended> => rowlock(['run'], { env: { ...settings(), ...env } });

const order = (payload: Record<string, unknown>): Promise<number> =>
  insertJob(db, { job_type: 'csv.import', payload: JSON.stringify(payload) });

interface Imported {
  status: string;
  result: unknown;
  error: string | null;
  rows: Record<string, unknown>[];
  /** The lines of the side file; none if there is no such file. */
  aside: string[];
}

/** An import that shares its run with the others: it has a table and a file of its own. */
interface Planned {
  file: string;
  content: string | Buffer;
  payload: Record<string, unknown>;
  columns: string;
  engine: string;
  /** What came of it. */
  look(): Promise<Imported>;
}

const planned: Planned[] = [];

/** Plans the import of a file into a new table by the run before the tests; the answer tells what came of it. */
function plan(
  file: string,
  content: string | Buffer,
  payload: Record<string, unknown> = {},
  columns = CUSTOMERS,
  engine = 'InnoDB',
): () => Promise<Imported> {
  if (planned.some((other) => other.file === file)) throw new Error(`two imports of ${file} are planned`);
  const each: Planned = {
    file,
    content,
    payload,
    columns,
    engine,
    look: () => Promise.reject(new Error('no run yet')),
  };
  planned.push(each);
  return () => each.look();
}

// The start of a run costs more than such an import: 53 runs of one import each took half of the suite's longest file.
beforeAll(async () => {
  for (const each of planned) {
    const table = await createTable(each.columns, each.engine);
    const id = await order({ file: put(each.file, each.content), table, ...each.payload });
    each.look = () => look(id, table, each.file);
  }
  expect(await run()).toMatchObject({ code: 0, signal: null });
}, 60_000);

async function look(id: number, table: string, name: string): Promise<Imported> {
  const job = await readJob(db, id);
  const [rows] = await db.pool.query({ sql: `SELECT * FROM ${table} ORDER BY 1`, dateStrings: true });
  let aside: string[] = [];
  try {
    aside = readFileSync(join(files, `${name}.bad-${id}.csv`), 'utf8')
      .trimEnd()
      .split('\n');
  } catch {
    // no line was bad
  }
  return {
    status: String(job['status']),
    result: JSON.parse(String(job['result'])),
    error: job['last_error'] as string | null,
    rows: rows as Record<string, unknown>[],
    aside,
  };
}

const ANN = { id: 1, name: 'Ann', city: 'Köln', born: '1990-01-02', visits: 3 };
const BOB = { id: 2, name: 'Bob', city: null, born: null, visits: 7 };
const HEADER = 'id,name,city,born,visits';
const TWO = `${HEADER}\n1,Ann,Köln,1990-01-02,3\n2,Bob,,,\n`;

describe('a file is imported that', () => {
  const plain = plan('plain.csv', TWO);
  test('is plain: an empty field is NULL, or the default of the column', async () => {
    const done = await plain();
    expect(done).toEqual({
      status: 'completed',
      result: { rows: 2, badLines: 0 },
      error: null,
      rows: [ANN, BOB],
      aside: [],
    });
  });

  const FORMS: [string, string][] = [
    ['begins with a BOM', `\uFEFF${TWO}`],
    ['has line ends of Windows', TWO.replaceAll('\n', '\r\n')],
    ['has both', `\uFEFF${TWO.replaceAll('\n', '\r\n')}`],
    ['has no last line end', TWO.trimEnd()],
    ['has empty lines', `\n${TWO.replaceAll('\n', '\n\n')}\n\n`],
    ['quotes everything that is there', TWO.replaceAll(/[^,\n]+/g, '"$&"')],
    ['has its columns in another order', 'visits,ID, Name ,born,city\n3,1,Ann,1990-01-02,Köln\n,2,Bob,,\n'],
  ];

  test.each(FORMS.map(([name, content], form) => [name, plan(`form-${form}.csv`, content)] as const))(
    '%s',
    async (_name, imported) => {
      expect((await imported()).rows).toEqual([ANN, BOB]);
    },
  );

  {
    const names = ['a "b"', 'two\nlines', 'two\r\nlines', "it's \\ 😀", ',;\t', "\\'"];
    const lines = names.map((name, index) => `${index},"${name.replaceAll('"', '""')}"\r\n`).join('');
    const quotes = plan('quotes.csv', `id,name\r\n${lines}`);
    test('has quotes, line ends, delimiters and emoji in its fields', async () => {
      const done = await quotes();
      expect(done.rows.map(({ name }) => name)).toEqual(names);
    });
  }

  {
    const names = ['\\N', '\\D', '\\', 'NULL', 'DEFAULT', '\\t', 'a\tb', 'ends in \\', '%s ? :rows', '\u001a\b'];
    const lines = names.map((name, index) => `${index},"${name}",\n`).join('');
    const words = plan('words.csv', `id,name,city\n${lines}`);
    test('has words in its fields that mean something to the server', async () => {
      const done = await words();
      expect(done.rows.map(({ name }) => name)).toEqual(names);
      expect(done.rows.every(({ city }) => city === null)).toBe(true);
      expect(done.result).toEqual({ rows: names.length, badLines: 0 });
    });
  }

  {
    const columns = `id INT PRIMARY KEY, price DECIMAL(6, 2), size ENUM('s', 'm'), tags SET('a', 'b'), more JSON,
      at DATETIME(3), bytes VARBINARY(20), half FLOAT, big BIGINT UNSIGNED, one CHAR(3)`;
    const head = 'id,price,size,tags,more,at,bytes,half,big,one\n';
    const line = `1,1.239,m,"a,b","{""a"": ""b\\n""}",2026-11-01T10:20:30.123,b\\y,0.5,18446744073709551615,a\n`;
    const kinds = plan('kinds.csv', `${head}${line}2,,,,,,,,,\n`, {}, columns);
    test('goes to columns of every kind; what the server only notes is no bad line', async () => {
      const done = await kinds();
      expect(done.result).toEqual({ rows: 2, badLines: 0 });
      const [first, second] = done.rows;
      expect(first).toMatchObject({ price: '1.24', size: 'm', tags: 'a,b', half: 0.5, one: 'a' });
      expect(first).toMatchObject({ at: '2026-11-01 10:20:30.123', bytes: Buffer.from('b\\y') });
      expect(String(first?.['big'])).toBe('18446744073709551615');
      expect(second).toMatchObject({ id: 2, price: null, size: null, more: null, at: null, bytes: null });
    });
  }

  const empty = plan('empty.csv', 'id,name,city\n1,"",""\n2,"","a ""b"""\n3,,\n4,x,\n');
  test('has an empty text in quotes: that is no NULL', async () => {
    const done = await empty();
    expect(done.rows.map(({ name, city }) => [name, city])).toEqual([
      ['', ''],
      ['', 'a "b"'],
      ['', null],
      ['x', null],
    ]);
  });

  const semicolon = plan('semicolon.csv', TWO.replaceAll(',', ';'), { delimiter: ';' });
  const tab = plan('tab.csv', TWO.replaceAll(',', '\t'), { delimiter: '\t' });
  test('has another delimiter', async () => {
    expect((await semicolon()).rows).toEqual([ANN, BOB]);
    expect((await tab()).rows).toEqual([ANN, BOB]);
  });

  {
    const content = '1,Ann,secret,Köln,1990-01-02,3\n2,Bob,secret,,,\n';
    const columns = ['id', 'name', null, 'city', 'born', 'visits'];
    const bare = plan('bare.csv', content, { columns });
    test('has no header, where the payload has a list of columns', async () => {
      expect((await bare()).rows).toEqual([ANN, BOB]);
    });
  }

  {
    const content = 'Nr.,Full name,Comment\n1,Ann,x\n2,Bob,y\n';
    const named = plan('named.csv', content, { columns: { 'Nr.': 'id', 'Full name': 'name' } });
    test('has names of its own in the header, where the payload says what they are', async () => {
      const done = await named();
      expect(done.rows.map(({ id, name }) => [id, name])).toEqual([
        [1, 'Ann'],
        [2, 'Bob'],
      ]);
    });
  }

  const header = plan('header.csv', `${HEADER}\n`);
  test('has a header alone', async () => {
    expect((await header()).result).toEqual({ rows: 0, badLines: 0 });
  });

  {
    const columns = 'id INT PRIMARY KEY, `a ``b``?` INT, `:rows` INT, `select` INT';
    const names = plan('names.csv', 'id,a `b`?,:rows,select\n1,2,3,4\n', { onDuplicate: 'update' }, columns);
    test('has names in it that SQL would trip over', async () => {
      const done = await names();
      expect(done.rows).toEqual([{ id: 1, 'a `b`?': 2, ':rows': 3, select: 4 }]);
    });
  }

  {
    const columns = 'id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(20) NOT NULL';
    const auto = plan('auto.csv', 'id,name\n5,a\n,b\n', {}, columns);
    test('goes to a table that numbers its rows itself', async () => {
      expect((await auto()).rows).toEqual([
        { id: 5, name: 'a' },
        { id: 6, name: 'b' },
      ]);
    });
  }
});

describe('a key that the table has already', () => {
  const TWICE = `${TWO}1,Eve,Bonn,,9\n3,Cid,,,\n`;
  const namesOf = ({ rows }: Imported) => rows.map(({ name }) => name);

  const twice = plan('twice.csv', TWICE);
  test('makes the line a bad one', async () => {
    const done = await twice();
    expect(namesOf(done)).toEqual(['Ann', 'Bob', 'Cid']);
    expect(done.result).toMatchObject({ rows: 3, badLines: 1 });
    expect(done.aside).toEqual([
      'line,reason,text',
      expect.stringMatching(/^4,Duplicate entry '1' .*,"1,Eve,Bonn,,9"$/),
    ]);
  });

  const ignore = plan('ignore.csv', `${TWICE}4,${'x'.repeat(21)},,,\n`, { onDuplicate: 'ignore' });
  test('leaves the row as it is, where the payload says so; a value that does not fit is a bad line all the same', async () => {
    const done = await ignore();
    expect(namesOf(done)).toEqual(['Ann', 'Bob', 'Cid']);
    expect(done.result).toMatchObject({ rows: 4, badLines: 1 });
  });

  const update = plan('update.csv', TWICE, { onDuplicate: 'update' });
  test('changes the row, where the payload says so', async () => {
    expect(namesOf(await update())).toEqual(['Eve', 'Bob', 'Cid']);
  });
});

describe('a bad line', () => {
  const BAD: [string, string, RegExp][] = [
    ['a value that is too long', `2,${'x'.repeat(21)},,,`, /Data too long/],
    ['no date', '2,Bob,,1990-02-31,', /Incorrect date value/],
    ['no number', '2,Bob,,,many', /Incorrect integer value|Data truncated/],
    ['a number that is out of range', '2,Bob,,,99999999999', /Out of range/],
    ['a field too few', '2,Bob,', /3 fields and not 5/],
    ['a field too many', '2,Bob,,,,', /6 fields and not 5/],
    ['a quote in the middle', '2,B"o"b,,,', /a quote stands inside of a field/],
    ['a quote that is not doubled', '2,"B"ob,,,', /a quote inside of a quoted field is not doubled/],
    ['a quote that is not closed', '2,"Bob,,,', /a quote inside of a quoted field is not doubled/],
  ];

  const around = (bad: string): string => `${HEADER}\n1,"Ann\r\n2",,,\n${bad}\n3,"Cid",,,\n4,Dan,,,\n`;

  test.each(BAD.map(([name, bad, reason], index) => [name, plan(`bad-${index}.csv`, around(bad)), reason] as const))(
    '%s: it is put aside with its number and the reason, and those around it are imported',
    async (_name, imported, reason) => {
      const done = await imported();
      expect(done.rows.map(({ id }) => id)).toEqual([1, 3, 4]);
      expect(done).toMatchObject({ status: 'completed', result: { rows: 3, badLines: 1 } });
      expect(done.aside).toHaveLength(2);
      expect(done.aside[1]).toMatch(new RegExp(`^4,.*${reason.source}`));
    },
  );

  {
    const content = Buffer.concat([
      Buffer.from(TWO),
      Buffer.from('3,Müller,,,\n', 'latin1'),
      Buffer.from('4,Dan,,,\n'),
    ]);
    const latin1 = plan('latin1.csv', content);
    test('that is not UTF-8', async () => {
      const done = await latin1();
      expect(done.rows.map(({ id }) => id)).toEqual([1, 2, 4]);
      expect(done.aside[1]).toMatch(/^4,"not UTF-8; convert the file, as with iconv/);
    });
  }

  {
    const long = 'x'.repeat(3_000_000);
    const many = '5,"Eve,,,\n'.replace('"', '');
    const tooLong = plan(
      'long.csv',
      `${TWO}3,${long},,,\n4,"Dan,,,\n${many}${`6,F,,,\n`.repeat(1)}7,${long}"\n8,Hal,,,\n`,
    );
    test('that is longer than a megabyte, and one whose quote is not closed for longer than that', async () => {
      const done = await tooLong();
      expect(done.rows.map(({ id }) => id)).toEqual([1, 2, 5, 6, 8]);
      expect(done.aside.map((line) => line.slice(0, 40))).toEqual([
        'line,reason,text',
        expect.stringMatching(/^4,longer than 1048576 bytes/),
        expect.stringMatching(/^5,"a quote is opened and not closed/),
        expect.stringMatching(/^8,longer than 1048576 bytes/),
      ]);
      expect(Math.max(...done.aside.map(({ length }) => length))).toBeLessThan(11_000);
    });
  }

  test('that is one too many fails the job, and what came before it stays; retry goes on', async () => {
    const table = await createTable();
    const bad = 'x,\n';
    put('many.csv', `id,name\n1,a\n${bad.repeat(3)}2,b\n${bad}3,c\n`);
    const id = await order({ file: 'many.csv', table, maxBadLines: 2 });
    await run();
    const failed = await look(id, table, 'many.csv');
    expect(failed.status).toBe('failed');
    expect(failed.error).toMatch(
      /more than 2 bad lines: line 5 is another one \(.*\); all are in many\.csv\.bad-\d+\.csv, 1 others in the table\. rowlock retry/,
    );
    expect(failed.rows.map((row) => row['id'])).toEqual([1]);
    expect(failed.aside).toHaveLength(1 + 3);

    const env = { DATABASE_URL: db.urls.worker };
    expect(await rowlock(['retry', String(id)], { env })).toMatchObject({ code: 0 });
    await run();
    const done = await look(id, table, 'many.csv');
    expect(done).toMatchObject({ status: 'completed', result: { rows: 3, badLines: 4 } });
    expect(done.rows.map((row) => row['id'])).toEqual([1, 2, 3]);
    expect(done.aside).toHaveLength(1 + 4);
  });

  const formula = plan('formula.csv', 'id,name\n=1+1\n');
  test('cannot be a formula for the spreadsheet that opens the side file', async () => {
    const done = await formula();
    expect(done.aside[1]).toMatch(/,'=1\+1$/);
  });
});

describe('fails for good, with what is wrong and how to mend it', () => {
  const CASES: [string, string, string | Buffer, RegExp][] = [
    ['an empty file', 'empty-file.csv', '', /empty-file\.csv is empty$/],
    [
      'an Excel workbook',
      'workbook.csv',
      Buffer.from('PK\u0003\u0004\0\0'),
      /is a ZIP archive, as \.xlsx is; save it as CSV/,
    ],
    ['a binary file', 'binary.csv', Buffer.from([1, 2, 0, 3]), /is binary/],
    ['UTF-16', 'utf16.csv', Buffer.from(`\uFEFF${TWO}`, 'utf16le'), /is UTF-16; convert it, as with iconv/],
    ['line ends of CR alone', 'cr.csv', TWO.replaceAll('\n', '\r'), /its lines end with CR alone/],
    [
      'another delimiter',
      'delimiter.csv',
      TWO.replaceAll(',', ';'),
      /the table has no column "id;name;city;born;visits" \(the only field: is the delimiter another one\?\)/,
    ],
    [
      'a column that the table lacks',
      'shoe.csv',
      'id,name,shoe,hat\n',
      /does not fit the table customers_\d+: the table has no column "shoe", "hat"$/,
    ],
    ['a column twice', 'id-twice.csv', 'id,name,ID\n', /the file has "ID" twice/],
    ['a column missing that has no default', 'no-name.csv', 'id,city\n', /the file lacks "name", which has no default/],
    [
      'a header that is no CSV',
      'header-quote.csv',
      'id,na"me"\n',
      /the header of header-quote\.csv cannot be read: a quote stands inside/,
    ],
    [
      'gigabytes on one line',
      'one-line.csv',
      'x'.repeat(2_000_000),
      /the header of one-line\.csv cannot be read: longer than 1048576 bytes/,
    ],
  ];

  test.each(CASES.map(([name, file, content, error]) => [name, plan(file, content), error] as const))(
    '%s',
    async (_name, imported, error) => {
      const failed = await imported();
      expect(failed).toMatchObject({ status: 'failed', rows: [] });
      expect(failed.error).toMatch(error);
    },
  );

  const REFUSED: [string, Record<string, unknown>, RegExp][] = [
    ['a file that is not there', { file: 'none.csv' }, /there is no file none\.csv in JOB_FILES_DIR/],
    ['a path out of the folder', { file: '../outside.csv' }, /leads out of JOB_FILES_DIR/],
    ['an absolute path', { file: '/etc/passwd' }, /payload refused: file: is no path within JOB_FILES_DIR/],
    ['a symbolic link out of the folder', { file: 'link.csv' }, /leads out of JOB_FILES_DIR/],
    ['a symbolic link to a folder outside', { file: 'away/outside.csv' }, /leads out of JOB_FILES_DIR/],
    ['a folder', { file: 'folder' }, /is no plain file/],
    ['a pipe', { file: 'pipe' }, /is no plain file/],
    ['a table that is not allowed', { table: 'background_jobs' }, /background_jobs is not among CSV_IMPORT_TABLES/],
    ['a table that is not there', { table: 'missing' }, /the table missing is not there, or not for this user/],
    ['a delimiter of two characters', { delimiter: '||' }, /payload refused: delimiter: is not one character/],
    ['no word for duplicates', { onDuplicate: 'replace' }, /payload refused: onDuplicate: is none of/],
    ['a field that it does not know', { tables: 'x' }, /payload refused: .*tables/],
  ];

  test('what the payload may not name', async () => {
    writeFileSync(join(root, 'outside.csv'), TWO);
    symlinkSync(join(root, 'outside.csv'), join(files, 'link.csv'));
    symlinkSync(root, join(files, 'away'));
    mkdirSync(join(files, 'folder'));
    execFileSync('mkfifo', [join(files, 'pipe')]);
    const table = await createTable();
    put('good.csv', TWO);
    const ids: number[] = [];
    for (const [, payload] of REFUSED) ids.push(await order({ file: 'good.csv', table, ...payload }));
    await run();
    const jobs = await Promise.all(ids.map((id) => readJob(db, id)));
    expect(REFUSED.map(([name], index) => [name, jobs[index]?.['status'], jobs[index]?.['last_error']])).toEqual(
      REFUSED.map(([name, , error]) => [name, 'failed', expect.stringMatching(error)]),
    );
    expect((await db.pool.query(`SELECT * FROM ${table}`))[0]).toEqual([]);
  });

  const lacks = plan('lacks.csv', TWO, { columns: { 'Nr.': 'id' } });
  test('a name of the payload that the header lacks', async () => {
    const failed = await lacks();
    expect(failed.error).toMatch(/the header of lacks\.csv lacks "Nr\.", which the payload's columns name/);
  });

  const unsafe = plan('myisam.csv', TWO, {}, CUSTOMERS, 'MyISAM');
  test('a table without transactions', async () => {
    expect((await unsafe()).error).toMatch(/is MyISAM, which has no transactions/);
  });

  const generated = plan('generated.csv', 'a,b\n1,2\n', {}, 'a INT, b INT AS (a + 1) STORED');
  test('a column that the server itself fills', async () => {
    const failed = await generated();
    expect(failed.error).toMatch(/the server itself fills "b"/);
  });
});

describe('is tried again', () => {
  test('where the folder is not there', async () => {
    const table = await createTable();
    const id = await order({ file: put('later.csv', TWO), table });
    await run({ JOB_FILES_DIR: join(root, 'unmounted') });
    const job = await readJob(db, id);
    expect(job).toMatchObject({ status: 'pending', attempts: 1 });
    expect(job['last_error']).toMatch(/the folder of JOB_FILES_DIR cannot be entered \(ENOENT\)/);
  });

  test('where the user may not write to the table', async () => {
    const table = await createTable();
    await db.pool.query(`REVOKE INSERT ON ${table} FROM '${db.users.names.worker}'@'%'`);
    const id = await order({ file: put('denied.csv', TWO), table });
    await run();
    const job = await readJob(db, id);
    expect(job).toMatchObject({ status: 'pending', attempts: 1 });
    expect(job['last_error']).toMatch(/INSERT command denied.*GRANT INSERT/);
  });
});

test('a file that was changed since its import began is refused', async () => {
  const table = await createTable();
  put('changed.csv', `id,name\n1,a\nx,\n2,b\n`);
  const id = await order({ file: 'changed.csv', table, maxBadLines: 0 });
  await run();
  appendFileSync(join(files, 'changed.csv'), '3,c\n');
  await db.pool.query("UPDATE background_jobs SET status = 'pending', attempts = 0 WHERE id = ?", [id]);
  await run();
  const failed = await look(id, table, 'changed.csv');
  expect(failed.status).toBe('failed');
  expect(failed.error).toMatch(/changed\.csv was changed while it was imported, of which the lines before 4 are done/);
  expect(failed.rows.map((row) => row['id'])).toEqual([1]);
});

describe('an import whose run is killed', () => {
  const LINES = 80_000;

  test('again and again goes on where its last commit stood: each line once, each bad line once', async () => {
    const KILLS = 3;
    const table = await createTable();
    const lines = Array.from({ length: LINES }, (_, id) =>
      id % 20_000 === 7 ? `x${id},bad\n` : `${id},"a\nb ${id}",,,\n`,
    );
    put('killed.csv', `${HEADER}\n${lines.map((line) => line.replace(/bad/, 'bad,,,')).join('')}`);
    const id = await order({ file: 'killed.csv', table });
    const saves = async () => Number((await readJob(db, id))['saves']);
    // The next run puts back what the killed one held once its lease is over: one that starts sooner only ends again.
    const awaitLease = () =>
      until(async () => {
        const [rows] = await db.pool.query(
          'SELECT 1 FROM background_job_runs WHERE finished_at IS NULL AND lease_expires_at > NOW(3)',
        );
        return (rows as unknown[]).length === 0;
      }, 'the lease of the killed run is over');
    const endPause = () =>
      db.pool.query(
        `UPDATE background_jobs SET run_at = NOW(3) WHERE id = ? AND status = 'pending' AND run_at > NOW(3)`,
        [id],
      );
    const startNext = () => start(['run', '--lease', '1s'], { env: settings() });
    for (let kill = 0; kill < KILLS; kill++) {
      const before = await saves();
      await awaitLease();
      let running = startNext();
      await until(
        async () => {
          await endPause();
          if (running.child.exitCode !== null) running = startNext();
          return (await saves()) > before + 1;
        },
        `the import has come further than save ${before + 1}`,
      );
      running.child.kill('SIGKILL');
      expect((await running.ended).signal).toBe('SIGKILL');
    }
    expect((await readJob(db, id))['status']).toBe('running');
    await awaitLease();
    await until(async () => {
      await endPause();
      await startNext().ended;
      return (await readJob(db, id))['status'] === 'completed';
    }, 'the import is completed');
    const done = await look(id, table, 'killed.csv');
    expect(done.result).toMatchObject({ rows: LINES - 4, badLines: 4 });
    expect(done.rows.map((row) => row['id'])).toEqual(
      Array.from({ length: LINES }, (_, n) => n).filter((n) => n % 20_000 !== 7),
    );
    expect(done.aside.filter((line) => /^\d+,/.test(line)).map((line) => Number.parseInt(line, 10))).toEqual(
      [7, 20_007, 40_007, 60_007].map((n, earlier) => 2 + 2 * (n - earlier) + earlier),
    );
  }, 90_000);
});
