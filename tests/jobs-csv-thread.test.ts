import {
  closeSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Batch, countRows, refuseRow, rowTexts, slice } from '../src/jobs/csv-batch';
import { Packer } from '../src/jobs/csv-pack';
import { createDatabase, type TestDatabase } from './support/database';
import { rowlock, start } from './support/rowlock';
import { insertJob, readJob } from './support/rows';
import { until } from './support/until';

const FAULTS = join(__dirname, 'fixtures', 'csv-thread-faults.js');
const files = mkdtempSync(join(tmpdir(), 'rowlock-csv-thread-'));
afterAll(() => rmSync(files, { recursive: true }));

let db: TestDatabase;
beforeAll(async () => {
  db = await createDatabase();
});

let tables = 0;

/** A job that imports the file into a table of its own. */
async function order(file: string): Promise<{ id: number; table: string }> {
  const table = `numbers_${++tables}`;
  await db.pool.query(`CREATE TABLE ${table} (id INT PRIMARY KEY, name VARCHAR(100))`);
  await db.users.allow('worker', 'SELECT, INSERT, UPDATE', table);
  return { id: await insertJob(db, { job_type: 'csv.import', payload: JSON.stringify({ file, table }) }), table };
}

const settings = (table: string, fault?: { kind: string; at: number }): Record<string, string> => ({
  DATABASE_URL: db.urls.worker,
  JOB_FILES_DIR: files,
  CSV_IMPORT_TABLES: table,
  ...(fault && { NODE_OPTIONS: `--require=${FAULTS}`, CSV_FAULT: fault.kind, CSV_FAULT_AT: String(fault.at) }),
});

async function idsIn(table: string): Promise<unknown[]> {
  const [rows] = await db.pool.query(`SELECT id FROM ${table} ORDER BY id`);
  return (rows as { id: number }[]).map(({ id }) => id);
}

const HEADER = 'id,name\n';
const LINES = 30_000;
const numbers = Array.from({ length: LINES }, (_, id) => id);
const content = `${HEADER}${numbers.map((id) => `${id},"a name that is ${id}"\n`).join('')}`;
writeFileSync(join(files, 'numbers.csv'), content);
/** In the last third: batches have been committed. */
const at = Math.floor((content.length * 2) / 3);

describe('where the thread that reads the file', () => {
  test.each([
    ['cannot read it', 'EIO', /^EIO: i\/o error, read$/],
    [
      'runs out of memory',
      'memory',
      /^the thread that reads the file has run out of its \d+ MB, somewhere behind byte \d+/,
    ],
    ['ends', 'exit', /^the thread that reads the file has ended, somewhere behind its byte \d+/],
  ])('%s, the job is tried again, and goes on from its last commit', async (_name, kind, error) => {
    const { id, table } = await order('numbers.csv');
    await rowlock(['run'], { env: settings(table, { kind, at }) });
    const failed = await readJob(db, id);
    expect(failed).toMatchObject({ status: 'pending', attempts: 1, last_error: expect.stringMatching(error) });
    const before = await idsIn(table);
    expect(before.length).toBeGreaterThan(0);
    expect(before).toEqual(numbers.slice(0, before.length));

    await db.pool.query('UPDATE background_jobs SET run_at = CURRENT_TIMESTAMP(3) WHERE id = ?', [id]);
    await rowlock(['run'], { env: settings(table) });
    expect(await readJob(db, id)).toMatchObject({ status: 'completed' });
    expect(await idsIn(table)).toEqual(numbers);
  });

  test('waits for a disk that does not answer, the job can be cancelled', async () => {
    const { id, table } = await order('numbers.csv');
    const running = start(['run'], { env: settings(table, { kind: 'silence', at }) });
    await until(async () => Number((await readJob(db, id))['saves']) > 1, 'a batch is committed');
    expect(await rowlock(['cancel', String(id)], { env: { DATABASE_URL: db.url } })).toMatchObject({ code: 0 });
    expect((await running.ended).signal).toBeNull();
    expect(await readJob(db, id)).toMatchObject({ status: 'failed', last_error: 'cancelled' });
  });
});

describe('a file', () => {
  test('of which not one line can be imported fails the job, and its bad lines are kept', async () => {
    writeFileSync(join(files, 'latin.csv'), Buffer.from(`${HEADER}1,J\xfcrgen\n2,Andr\xe9\n`, 'latin1'));
    const { id, table } = await order('latin.csv');
    await rowlock(['run'], { env: settings(table) });
    expect(await readJob(db, id)).toMatchObject({
      status: 'failed',
      attempts: 1,
      last_error: expect.stringContaining(
        `not one line of latin.csv could be imported; latin.csv.bad-${id}.csv beside it says why`,
      ),
    });
    expect(readFileSync(join(files, `latin.csv.bad-${id}.csv`), 'utf8')).toMatch(/^line,reason,text\n2,"not UTF-8;/);
  });

  test('with a gigabyte on one line is imported around it', async () => {
    const path = join(files, 'gigabyte.csv');
    const first = `${HEADER}${numbers
      .slice(0, 10_000)
      .map((id) => `${id},a\n`)
      .join('')}`;
    const handle = openSync(path, 'w');
    writeFileSync(handle, first);
    ftruncateSync(handle, first.length + 2 ** 30);
    closeSync(handle);
    writeFileSync(path, '\n10000,b\n', { flag: 'a' });
    const { id, table } = await order('gigabyte.csv');
    await rowlock(['run'], { env: settings(table) });
    expect(await readJob(db, id)).toMatchObject({ status: 'completed' });
    expect(await idsIn(table)).toEqual(numbers.slice(0, 10_001));
    const aside = join(files, `gigabyte.csv.bad-${id}.csv`);
    expect(readFileSync(aside, 'utf8')).toMatch(/^line,reason,text\n10002,longer than 1048576 bytes,/);
    expect(statSync(aside).size).toBeLessThan(20_000);
  });

  test('with a megabyte of delimiters, or many empty lines behind a long one, is no more than the thread can hold', async () => {
    const many = 1_000_000;
    const delimiters = `1,a\n${','.repeat(many)}\n2,b\n`;
    const emptyLines = `3,"${'x'.repeat(900_000)}",\n${'\n'.repeat(20_000)}4,d\n`;
    writeFileSync(join(files, 'delimiters.csv'), `${HEADER}${delimiters}${emptyLines}`);
    const { id, table } = await order('delimiters.csv');
    await rowlock(['run'], { env: settings(table) });
    expect(await readJob(db, id)).toMatchObject({ status: 'completed' });
    expect(await idsIn(table)).toEqual([1, 2, 4]);
    expect(readFileSync(join(files, `delimiters.csv.bad-${id}.csv`), 'utf8')).toMatch(
      new RegExp(`^3,${many + 1} fields and not 2,[^]*^5,3 fields and not 2,`, 'm'),
    );
  });
});

describe('a batch', () => {
  const MIXED = '1,Ärger\n\n2,"two\nlines \\ and a\ttab"\nx\n3,""\n"4\n\n",,\n5,😀\n';

  async function pack(): Promise<Batch> {
    const path = join(files, 'mixed.csv');
    writeFileSync(path, MIXED);
    const { size } = statSync(path);
    const sources = [
      { field: 1, empty: 'null' as const },
      { field: 0, empty: 'text' as const },
    ];
    const fd = openSync(path, 'r');
    try {
      return await new Packer(fd, 0, { delimiter: ',', fields: 2, longest: 1_000, size, sources }).pack();
    } finally {
      closeSync(fd);
    }
  }

  test('has rows as LOAD DATA reads them, and knows what is none', async () => {
    const batch = await pack();
    expect(rowTexts(batch)).toEqual(['Ärger\t1', 'two\\nlines \\\\ and a\\ttab\t2', '\t3', '😀\t5']);
    const kind = (text: string) => ({ why: text, kind: text });
    expect([...batch.rowless]).toEqual([
      [1, undefined],
      [3, kind('1 fields and not 2')],
      [5, kind('3 fields and not 2')],
    ]);
    expect([...batch.lines]).toEqual([
      [2, 2],
      [5, 3],
    ]);
    expect(batch.ends.at(-1)).toBe(Buffer.byteLength(MIXED));
  });

  test('is the same in two parts as whole, wherever it is cut', async () => {
    const batch = await pack();
    const { length } = batch.ends;
    for (let cut = 0; cut <= length; cut++) {
      const [head, tail] = [slice(batch, 0, cut), slice(batch, cut)];
      expect([...rowTexts(head), ...rowTexts(tail)]).toEqual(rowTexts(batch));
      expect([...head.ends, ...tail.ends]).toEqual([...batch.ends]);
      expect(tail.start).toBe(batch.ends[cut - 1] ?? 0);
      for (const odd of ['rowless', 'lines'] as const) {
        const shifted = [...tail[odd]].map(([index, value]) => [index + cut, value]);
        expect([...head[odd], ...shifted]).toEqual([...batch[odd]]);
      }
    }
  });

  test('of one row has none once that is refused', async () => {
    const one = slice(await pack(), 1, 4);
    const refused = refuseRow(one, { why: 'taken', kind: 'ER_DUP_ENTRY' });
    expect(countRows(one)).toBe(1);
    expect(countRows(refused)).toBe(0);
    expect(rowTexts(refused)).toEqual([]);
    expect([...refused.rowless].map(([index, fault]) => [index, fault?.kind])).toEqual([
      [0, undefined],
      [1, 'ER_DUP_ENTRY'],
      [2, '1 fields and not 2'],
    ]);
  });
});
