import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import type { RowDataPacket } from 'mysql2/promise';
import { createDatabase, type TestDatabase } from './support/database';
import { installPacked, type Project } from './support/project';

const MODULES = join(__dirname, '..', 'node_modules');

let project: Project;
let db: TestDatabase;

beforeAll(async () => {
  db = await createDatabase({ migrated: false });
  project = await installPacked();
});

const home = (...path: string[]) => join(project.folder, 'node_modules', 'rowlock', ...path);

const rowlock = (...args: string[]) => project.run(home('..', '.bin', 'rowlock'), args, { DATABASE_URL: db.url });

test('it holds what is needed and nothing else', () => {
  const files = readdirSync(home(), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(home().length + 1));
  expect(files.filter((file) => !file.includes('/')).sort()).toEqual([
    'LICENSE',
    'README.md',
    'crontab.example',
    'package.json',
  ]);
  const others = files.filter(
    (file) => file.includes('/') && !/^(dist\/.*\.(js|d\.ts)|sql\/.*\.sql|deploy\/.*|completion\/.*)$/.test(file),
  );
  expect(others).toEqual([]);
  expect(files).toEqual(
    expect.arrayContaining([
      'dist/cli.js',
      'dist/jobs/csv-thread.js',
      'dist/worker/heartbeat-thread.js',
      'sql/migrations/0001_create_side_tables.sql',
    ]),
  );
});

test('the thread of csv.import has all that it loads', async () => {
  const thread = JSON.stringify(home('dist', 'jobs', 'csv-thread.js'));
  const records = JSON.stringify(home('dist', 'jobs', 'csv-records.js'));
  const parse = `require(${records}).parseRecords(Buffer.from('a,b'), ',', true, 'all').records[0].length`;
  expect(await project.run(process.execPath, ['-e', `require(${thread}); console.log(${parse})`])).toBe('2\n');
});

test('what it says of itself is there', () => {
  const { main, types, bin, exports } = JSON.parse(readFileSync(home('package.json'), 'utf8')) as {
    main: string;
    types: string;
    bin: { rowlock: string };
    exports: Record<string, string | { types: string; default: string }>;
  };
  const paths = [
    main,
    types,
    bin.rowlock,
    ...Object.values(exports).flatMap((to) => (typeof to === 'string' ? [to] : Object.values(to))),
  ];
  expect(paths.filter((path) => !existsSync(home(path)))).toEqual([]);
});

test('publint and attw find nothing', async () => {
  const { tarball = '' } = project;
  const check = (name: string, ...args: string[]) => project.run(join(MODULES, '.bin', name), [tarball, ...args]);
  expect(await check('publint', '--strict')).toContain('All good!');
  expect(await check('attw', '--format', 'ascii')).toContain('No problems found');
});

test('CommonJS requires it', async () => {
  project.write(
    'required.cjs',
    `const { createQueue, defineJob, UnrecoverableError } = require('rowlock');
     const { runJob } = require('rowlock/testing');
     const { version } = require('rowlock/package.json');
     const job = defineJob({ type: 'a', run: (n) => n + 1 });
     runJob(job, 1).then(({ outcome, result }) =>
       console.log(outcome, result, typeof createQueue, new UnrecoverableError('x').code, version));`,
  );
  const { version } = JSON.parse(readFileSync(home('package.json'), 'utf8')) as { version: string };
  expect(await project.run(process.execPath, ['required.cjs'])).toBe(
    `completed 2 function ROWLOCK_UNRECOVERABLE ${version}\n`,
  );
});

test('an ES module imports it by names', async () => {
  project.write(
    'imported.mjs',
    `import { createQueue, defineJob, DuplicateJobError, RetryAfterError } from 'rowlock';
     import { runJob } from 'rowlock/testing';
     const job = defineJob({ type: 'a', run() { throw new RetryAfterError('1m'); } });
     const { outcome, delayMs } = await runJob(job, null);
     console.log(outcome, delayMs, typeof createQueue, DuplicateJobError.name);`,
  );
  expect(await project.run(process.execPath, ['imported.mjs'])).toBe('retry 60000 function DuplicateJobError\n');
});

test('nothing but its entries can be reached', async () => {
  project.write('inner.mjs', `await import('rowlock/dist/cli.js').catch((error) => console.log(error.code));`);
  expect(await project.run(process.execPath, ['inner.mjs'])).toBe('ERR_PACKAGE_PATH_NOT_EXPORTED\n');
});

const SAMPLE = `
import mysqlCallback from 'mysql2';
import mysql from 'mysql2/promise';
import { type Job, type JobId, createQueue, defineJob } from 'rowlock';
import { type JobRun, runJob } from 'rowlock/testing';
import { z } from 'zod';

export const mail = defineJob({
  type: 'mail.send',
  payload: z.object({ to: z.string(), copies: z.coerce.number<string>() }),
  async run({ to, copies }, ctx) {
    const text: string = to.toUpperCase();
    const count: number = copies + 1;
    // @ts-expect-error the payload has no such field
    to.nothing();
    await ctx.save({ count }, async (tx) => {
      await tx.query('INSERT INTO sent SET ?', { text });
      await createQueue(tx).enqueue({ type: 'any' });
    });
    return ctx.complete(async (tx) => {
      await tx.execute('DELETE FROM outbox WHERE id = ?', [1]);
      await ctx.enqueue({ type: 'any', payload: 1, delay: '5m' }, tx);
    });
  },
});
const ping = defineJob({ type: 'ping', run: () => undefined });
const program = { type: 'invoice.send', command: ['php', 'invoice.php'] } as const;

export async function use(): Promise<void> {
  const pool = mysql.createPool('mysql://localhost/shop');
  await using queue = createQueue(pool, { jobs: [mail, ping, program] });
  const connection = await pool.getConnection();
  const id: JobId = await queue.enqueue({ type: 'mail.send', payload: { to: 'ann', copies: '2' }, uniqueKey: 'k' }, { on: connection });
  await queue.enqueueMany([{ type: 'ping' }, { type: 'mail.send', payload: { to: 'ann', copies: '2' } }]);
  await queue.enqueue({ type: 'invoice.send', payload: { id: 5 }, delay: '5m' });
  // @ts-expect-error the schema takes copies as text
  await queue.enqueue({ type: 'mail.send', payload: { to: 'ann', copies: 2 } });
  // @ts-expect-error the payload is missing
  await queue.enqueue({ type: 'mail.send' });
  // @ts-expect-error there is no such type
  await queue.enqueue({ type: 'mail.sent', payload: { to: 'ann', copies: '2' } });
  // @ts-expect-error there is no such column
  await queue.enqueue({ type: 'ping', run_at: new Date() });
  const job: Job | undefined = await queue.get(id);
  if (job?.status === 'failed') await queue.retry(job.id);
  const { ok, queues } = await queue.status();
  console.log(ok, queues[0]?.due);

  for (const on of [mysqlCallback.createPool('mysql://localhost/shop'), mysqlCallback.createConnection('mysql://localhost/shop'), 'mysql://localhost/shop']) {
    await createQueue(on).enqueue({ type: 'whatever', payload: { a: [1n] } });
  }
  await createQueue(await mysql.createConnection('mysql://localhost/shop')).cancel([id, '1']);
  // @ts-expect-error this is no client
  createQueue(5);

  const run: JobRun = await runJob(mail, { to: 'ann', copies: '2' }, { attempt: 2, tx: connection });
  await runJob(program, { id: 5 });
  // @ts-expect-error the schema takes copies as text
  await runJob(mail, { to: 'ann', copies: 2 });
  console.log(run.outcome, run.enqueued[0]?.type);
}
`;

test.each([
  ['nodenext', 'nodenext', ['sample.mts', 'sample.cts']],
  ['esnext', 'bundler', ['sample.ts']],
])('TypeScript knows it: module %s, resolution %s', async (module, resolution, files) => {
  for (const file of files) project.write(file, SAMPLE);
  const options = [
    '--noEmit',
    '--strict',
    '--target',
    'es2022',
    '--skipLibCheck',
    'false',
    '--types',
    'node',
    '--esModuleInterop',
  ];
  const how = ['--module', module, '--moduleResolution', resolution];
  expect(await project.run(join(MODULES, '.bin', 'tsc'), [...options, ...how, ...files])).toBe('');
});

test('everything that it exports is described where an editor looks for it', () => {
  const undescribed = ['index.d.ts', 'testing/index.d.ts'].flatMap((entry) =>
    listExports(entry).filter(({ file, name }) => !isDescribed(file, name)),
  );
  expect(undescribed).toEqual([]);
});

/** The names of `export { a, type B } from './file'`. */
function listExports(entry: string): { file: string; name: string }[] {
  const text = readFileSync(home('dist', entry), 'utf8');
  const found = [...text.matchAll(/export (?:type )?\{([^}]*)\} from '([^']+)'/g)].flatMap(
    ([, names = '', from = '']) =>
      names.split(',').map((name) => ({
        file: normalize(join(dirname(entry), `${from}.d.ts`)),
        name: name.replace('type ', '').trim(),
      })),
  );
  expect(found.length).toBeGreaterThan(2);
  return found;
}

function isDescribed(file: string, name: string): boolean {
  const text = readFileSync(home('dist', file), 'utf8');
  const elsewhere = new RegExp(`(?:export|import) (?:type )?\\{[^}]*\\b${name}\\b[^}]*\\} from '([^']+)'`).exec(
    text,
  )?.[1];
  const described = new RegExp(
    `\\*/\\n(export )?(declare )?(abstract )?(class|function|interface|type|const) ${name}\\b`,
  );
  if (described.test(text)) return true;
  return elsewhere !== undefined && isDescribed(normalize(join(dirname(file), `${elsewhere}.d.ts`)), name);
}

const JOBS = `
import { defineJob } from 'rowlock';
export default [defineJob({ type: 'greeting.say', run: (name) => \`hello \${name}\` })];
`;

/** Enqueues inside a transaction of its own, which it ends with the word that it is given. */
const PROGRAM = `
import mysql from 'mysql2/promise';
import { createQueue } from 'rowlock';
const pool = mysql.createPool(process.env.DATABASE_URL);
const queue = createQueue(pool);
const connection = await pool.getConnection();
await connection.beginTransaction();
await connection.query('INSERT INTO greetings (name) VALUES (?)', ['ann']);
const id = await queue.enqueue({ type: 'greeting.say', payload: 'ann' }, { on: connection });
await connection.query(process.argv[2]);
connection.release();
console.log(id);
await pool.end();
`;

test('a program enqueues in its own transaction: undone, no job; committed, one, which a run completes', async () => {
  expect(await project.run('npx', ['--no', 'rowlock', '--version'])).toMatch(/^\d+\.\d+\.\d+\n$/);
  await rowlock('migrate');
  await db.pool.query('CREATE TABLE greetings (name VARCHAR(20)) ENGINE = InnoDB');
  project.write('jobs.mjs', JOBS);
  project.write('program.mjs', PROGRAM);
  const read = async (sql: string) => (await db.pool.query<RowDataPacket[]>(sql))[0];

  await project.run(process.execPath, ['program.mjs', 'ROLLBACK'], { DATABASE_URL: db.url });
  expect(await read('SELECT id FROM background_jobs')).toEqual([]);
  await rowlock('run', '--jobs', 'jobs.mjs');
  expect(await read('SELECT name FROM greetings')).toEqual([]);

  const id = Number(await project.run(process.execPath, ['program.mjs', 'COMMIT'], { DATABASE_URL: db.url }));
  expect(await read('SELECT id, status FROM background_jobs')).toEqual([{ id, status: 'pending' }]);
  await rowlock('run', '--jobs', 'jobs.mjs');
  expect(await read('SELECT id, status, attempts, result FROM background_jobs')).toEqual([
    { id, status: 'completed', attempts: 1, result: '"hello ann"' },
  ]);
  expect(await read('SELECT name FROM greetings')).toEqual([{ name: 'ann' }]);
});
