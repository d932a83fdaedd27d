import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDatabase, type TestDatabase } from './support/database';
import { rowlock } from './support/rowlock';
import { insertJob, readJob } from './support/rows';

let db: TestDatabase;
const folder = mkdtempSync(join(tmpdir(), 'rowlock-modules-'));

beforeAll(async () => {
  db = await createDatabase();
});

afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, content: string): string {
  writeFileSync(join(folder, name), content);
  return name;
}

const run = (args: string[], env: Record<string, string> = {}) =>
  rowlock(['run', ...args], { cwd: folder, env: { DATABASE_URL: db.urls.worker, ...env } });

describe('a module that cannot be used stops the run before it begins, in one line', () => {
  test.each([
    ['throws.js', "throw new Error('no licence\\nfound')", /throws\.js fails when it is loaded: no licence found; /],
    ['rejects.mjs', "await Promise.reject('just words')", /rejects\.mjs fails when it is loaded: just words; /],
    [
      'twice.js',
      "module.exports = [{ type: 'a', run() {} }, { type: 'a', run() {} }]",
      /"a" is defined twice; rename one/,
    ],
    ['none.mjs', 'export const jobs = []', /none\.mjs has no default export; /],
    ['null.js', 'module.exports = [null]', /definition 1 is null, /],
  ])('%s', async (name, content, words) => {
    const id = await insertJob(db, { job_type: 'a' });
    const { code, stdout, stderr } = await run(['--jobs', write(name, content)]);
    expect({ code, stdout }).toEqual({ code: 78, stdout: '' });
    expect(stderr).toMatch(/^rowlock: .*\n$/);
    expect(stderr).toMatch(words);
    expect(await readJob(db, id)).toMatchObject({ status: 'pending', attempts: 0 });
  });

  test('one that is not there', async () => {
    const { code, stderr } = await run([], { ROWLOCK_JOBS: './nowhere.js' });
    expect(code).toBe(78);
    expect(stderr).toBe(
      `rowlock: there is no job module ${join(folder, 'nowhere.js')}; correct --jobs, or ROWLOCK_JOBS\n`,
    );
  });
});

describe('close', () => {
  const A_JOB = "type: 'closes', run: () => 'ran'";

  test.each([
    ['is called once, at the end', 'closes.js', "close() { process.stdout.write('closed ') }", 'closed ', ''],
    ['that throws changes nothing', 'throws-closing.js', "close() { throw new Error('too late') }", '', 'too late'],
    ['that rejects changes nothing', 'rejects-closing.js', "close: () => Promise.reject('too late')", '', 'too late'],
    [
      'that never ends holds nothing up',
      'endless-closing.js',
      'close: () => new Promise(() => setInterval(() => 0, 1000))',
      '',
      'not within 2000 ms',
    ],
  ])('%s', async (_what, name, close, stdout, why) => {
    const id = await insertJob(db, { job_type: 'closes' });
    const ended = await run(['--type', 'closes', '--jobs', write(name, `module.exports = [{ ${A_JOB}, ${close} }]`)]);
    const stderr = why === '' ? '' : `rowlock: closes could not close what it keeps open: ${why}\n`;
    expect(ended).toEqual({ code: 0, signal: null, stdout, stderr });
    expect(await readJob(db, id)).toMatchObject({ status: 'completed' });
  });
});
