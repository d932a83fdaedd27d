import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { builtInJobs } from '../src/jobs';
import { createRegistry } from '../src/worker/registry';

const reportDatabase = { host: '127.0.0.1', port: 3306, user: 'u', database: 'd' };
const typesOf = (settings: Parameters<typeof builtInJobs>[0]) =>
  createRegistry(builtInJobs(settings))
    .types()
    .map(({ type }) => type);

test('a type is there where its settings are', () => {
  expect(typesOf({})).toEqual([]);
  expect(typesOf({ mailFrom: 'a@example.com', reportDatabase })).toEqual([]);
  expect(typesOf({ smtpUrl: 'smtp://127.0.0.1' })).toEqual(['email.send']);
  expect(typesOf({ jobFilesDir: '/tmp', mailSqlDir: '/tmp' })).toEqual([]);
  for (const recipients of [{ jobFilesDir: '/tmp' }, { mailSqlDir: '/tmp' }])
    expect(typesOf({ smtpUrl: 'smtp://127.0.0.1', ...recipients })).toEqual(['email.broadcast', 'email.send']);
  expect(typesOf({ smtpUrl: 'smtp://127.0.0.1', reportDir: '/tmp', reportDatabase })).toEqual([
    'email.send',
    'report.generate',
  ]);
  expect(typesOf({ jobFilesDir: '/tmp' })).toEqual([]);
  expect(typesOf({ jobFilesDir: '/tmp', ffmpegPath: 'ffmpeg', webhookSecrets: [{ key: 'a' }] })).toEqual([
    'video.transcode',
    'webhook.deliver',
  ]);
  expect(typesOf({ jobFilesDir: '/tmp', csvImportTables: ['t'] })).toEqual(['csv.import']);
});

test('a run that has no job of theirs does not load what they need', () => {
  const script = `
    const { builtInJobs } = require(process.argv[1]);
    builtInJobs({ smtpUrl: 'smtp://127.0.0.1', reportDir: '/tmp', reportDatabase: {}, webhookSecrets: [], jobFilesDir: '/tmp', csvImportTables: ['t'], ffmpegPath: 'x' });
    console.log(Object.keys(require.cache).filter((path) => /node_modules.(nodemailer|csv-|liquidjs|ipaddr|zod)/.test(path)).join());
    console.log(process.moduleLoadList.filter((name) => /NativeModule (http|dns|readline)$/.test(name)).join());`;
  expect(
    execFileSync(process.execPath, ['-e', script, join(__dirname, '..', 'dist', 'jobs', 'index.js')], {
      encoding: 'utf8',
    }).trim(),
  ).toBe('');
});

test('each payload has a JSON Schema', () => {
  for (const { type, definition } of createRegistry(
    builtInJobs({
      smtpUrl: 'smtp://x',
      reportDir: '/tmp',
      reportDatabase,
      jobFilesDir: '/tmp',
      csvImportTables: ['t'],
      ffmpegPath: 'x',
      webhookSecrets: [],
    }),
  ).types()) {
    const schema = 'payload' in definition ? definition.payload : undefined;
    const standard = schema?.['~standard'] as
      | { jsonSchema?: { input(options: { target: string }): unknown } }
      | undefined;
    if (type === 'email.send')
      expect(standard?.jsonSchema?.input({ target: 'draft-2020-12' })).toMatchObject({
        type: 'object',
        required: ['to', 'subject'],
      });
    expect(standard?.jsonSchema).toBeDefined();
  }
});
