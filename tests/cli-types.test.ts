import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Ended, rowlock } from './support/rowlock';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'rowlock-types-'));
  const zod = require.resolve('zod');
  writeFileSync(
    join(folder, 'jobs.cjs'),
    `const { z } = require(${JSON.stringify(zod)});
const foreign = (more) => ({ '~standard': { version: 1, vendor: 'other', validate: (value) => ({ value }), ...more } });
const run = () => undefined;
module.exports = [
  { type: 'invoice.send', command: ['php', '/srv/invoice.php', '--token=s3cret'], timeout: '5m', maxAttempts: 1 },
  { type: 'report', queue: 'slow', priority: -5, unique: 'active', backoff: ['1m', '10m', '6h'], timeout: '4h',
    schedule: { cron: '0 6 * * *', timezone: 'Europe/Berlin', payload: { secret: 's3cret' } }, run },
  { type: 'schema.zod', payload: z.object({ n: z.int(), big: z.bigint().optional() }), run },
  { type: 'schema.none', payload: foreign({}), run },
  { type: 'schema.throws', payload: foreign({ jsonSchema: { input() { throw new Error('no words') } } }), run },
  { type: 'schema.cycle', payload: foreign({ jsonSchema: { input() { const a = {}; a.a = a; return a } } }), run },
  { type: 'schema.own', payload: foreign({ jsonSchema: { input: ({ target }) => ({ $schema: target, type: 'string' }) } }), run },
];`,
  );
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ask = (args: string[], env: Record<string, string> = {}): Promise<Ended> => rowlock(['types', ...args], { env });
const withJobs = (...args: string[]): Promise<Ended> => ask(['--jobs', join(folder, 'jobs.cjs'), ...args]);

test('without any setting it says what to set, and needs no database', async () => {
  expect(await ask([])).toMatchObject({
    code: 0,
    stderr: '',
    stdout:
      'no job types are known here; name a file of them with --jobs, or ROWLOCK_JOBS\n\n' +
      'csv.import is left out: set JOB_FILES_DIR and CSV_IMPORT_TABLES\n' +
      'email.send is left out: set SMTP_URL\n' +
      'email.broadcast is left out: set SMTP_URL and JOB_FILES_DIR or MAIL_SQL_DIR\nreport.generate is left out: set REPORT_DIR and DATABASE_URL\n' +
      'video.transcode is left out: set JOB_FILES_DIR and FFMPEG_PATH\n' +
      'webhook.deliver is left out: set WEBHOOK_SECRET\n',
  });
  expect(JSON.parse((await ask(['--json'])).stdout)).toEqual({
    types: [],
    left_out: [
      { job_type: 'csv.import', missing: ['JOB_FILES_DIR', 'CSV_IMPORT_TABLES'] },
      { job_type: 'email.send', missing: ['SMTP_URL'] },
      { job_type: 'email.broadcast', missing: ['SMTP_URL', 'JOB_FILES_DIR or MAIL_SQL_DIR'] },
      { job_type: 'report.generate', missing: ['REPORT_DIR', 'DATABASE_URL'] },
      { job_type: 'video.transcode', missing: ['JOB_FILES_DIR', 'FFMPEG_PATH'] },
      { job_type: 'webhook.deliver', missing: ['WEBHOOK_SECRET'] },
    ],
  });
});

test('each type with all that is set, no payload and no argument of a program', async () => {
  const { code, stdout, stderr } = await withJobs();
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain(
    'invoice.send\n  the program php; queue default, priority 0, timeout 5 min, one attempt\n  payload: any JSON\n',
  );
  expect(stdout.replace(/, next in \d+ (min|h|s) \(\S+ 0[45]:00:00Z\)/, ', next …')).toContain(
    'report\n  a function; queue slow, priority -5, timeout 4 h, 8 attempts, retried after 60 s, 10 min, 6 h\n' +
      '  schedule 0 6 * * * (Europe/Berlin), next …\n  a unique_key holds while its job is active\n  payload: any JSON\n',
  );
  expect(stdout).toContain(
    'schema.zod\n  a function; queue default, priority 0, timeout 60 min, 8 attempts, retried after 30 s, tripled each time, at most 6 h\n' +
      '  payload: {\n    "type": "object",\n    "properties": {\n      "n": { "type": "integer"',
  );
  expect(stdout).toContain('schema.own\n');
  expect(stdout).toContain('  payload: { "type": "string" }\n');
  for (const type of ['none', 'throws', 'cycle'])
    expect(stdout).toMatch(new RegExp(`^schema.${type}\n.*\n {2}payload: a schema that cannot be shown$`, 'm'));
  expect(stdout).not.toContain('s3cret');
});

test('the same in JSON', async () => {
  const { stdout } = await withJobs('--json');
  expect(stdout.trimEnd().split('\n')).toHaveLength(1);
  expect(stdout).not.toContain('s3cret');
  const { types } = JSON.parse(stdout) as { types: { job_type: string }[] };
  const typeOf = (name: string) => types.find(({ job_type }) => job_type === name);
  expect(typeOf('report')).toEqual({
    job_type: 'report',
    kind: 'function',
    queue: 'slow',
    priority: -5,
    timeout_ms: 14_400_000,
    max_attempts: 8,
    backoff_ms: [60_000, 600_000, 21_600_000],
    unique: 'active',
    schedule: { cron: '0 6 * * *', timezone: 'Europe/Berlin', next_tick: expect.stringMatching(/T0[45]:00:00\.000Z$/) },
    payload: 'any JSON',
    payload_schema: null,
  });
  expect(typeOf('schema.none')).toMatchObject({ payload: 'schema', payload_schema: null });
  expect(typeOf('schema.own')).toMatchObject({ payload_schema: { $schema: 'draft-2020-12', type: 'string' } });
  expect(typeOf('schema.zod')).toMatchObject({
    payload: 'schema',
    payload_schema: { properties: { n: { type: 'integer' }, big: { type: 'integer' } }, required: ['n'] },
  });
});

test('the payload of each type that ships is shown', async () => {
  const video = { JOB_FILES_DIR: folder, FFMPEG_PATH: 'ffmpeg', CSV_IMPORT_TABLES: 't' };
  const webhook = { WEBHOOK_SECRET: `whsec_s3cret${'A'.repeat(34)}` };
  const mail = { SMTP_URL: 'smtp://mail:s3cret@127.0.0.1' };
  const env = { ...mail, ...video, ...webhook, REPORT_DIR: folder, DATABASE_URL: 'mysql://u:s3cret@x/d' };
  const { stdout } = await ask(['--json'], env);
  expect(stdout).not.toContain('s3cret');
  const { types, left_out } = JSON.parse(stdout) as { types: unknown; left_out: unknown };
  expect(left_out).toEqual([]);
  expect(types).toMatchObject([
    { job_type: 'csv.import', payload_schema: { type: 'object', required: ['file', 'table'] } },
    { job_type: 'email.broadcast', payload_schema: { type: 'object', required: ['template', 'recipients'] } },
    { job_type: 'email.send', payload_schema: { type: 'object', required: ['to', 'subject'] } },
    { job_type: 'report.generate', payload_schema: { type: 'object', required: ['report'] } },
    { job_type: 'video.transcode', payload_schema: { type: 'object', required: ['input', 'output', 'preset'] } },
    { job_type: 'webhook.deliver', payload_schema: { type: 'object', required: ['url', 'body'] } },
  ]);
});

test('a job file that is wrong is told', async () => {
  const { code, stdout, stderr } = await ask(['--jobs', join(folder, 'none.js')]);
  expect({ code, stdout }).toEqual({ code: 78, stdout: '' });
  expect(stderr).toMatch(/^rowlock: there is no job module .*none\.js; correct --jobs, or ROWLOCK_JOBS\n$/);
});
