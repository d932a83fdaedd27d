import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RowDataPacket } from 'mysql2/promise';
import { createDatabase, type TestDatabase } from './support/database';
import { type MailServer, startMailServer } from './support/mail-server';
import { rowlock } from './support/rowlock';
import { insertJob, readJob } from './support/rows';

const root = mkdtempSync(join(tmpdir(), 'rowlock-broadcast-'));
const [files, templates, queries] = ['files', 'templates', 'queries'].map((name) => join(root, name)) as [
  string,
  string,
  string,
];
for (const folder of [files, templates, queries]) mkdirSync(folder);
afterAll(() => rmSync(root, { recursive: true }));

let db: TestDatabase;
let server: MailServer;
beforeAll(async () => {
  db = await createDatabase();
  server = await startMailServer();
});
beforeEach(async () => {
  await db.pool.query('DELETE FROM background_jobs');
  server.mails.length = 0;
});

const file = (name: string, content: string | Buffer) => writeFileSync(join(files, name), content);
const TEMPLATE = { subject: 'Hello {{name}}', text: 'Dear {{name}}' };

const environment = () => ({
  DATABASE_URL: db.urls.worker,
  SMTP_URL: server.url,
  MAIL_FROM: 'Shop <shop@example.com>',
  JOB_FILES_DIR: files,
  MAIL_TEMPLATE_DIR: templates,
  MAIL_SQL_DIR: queries,
});

const run = (args: string[] = [], env: Record<string, string> = {}) =>
  rowlock(['run', ...args], { env: { ...environment(), ...env } });

/** One run with one broadcast; answers with its row. */
async function broadcast(payload: unknown, env: Record<string, string> = {}) {
  const id = await insertJob(db, { job_type: 'email.broadcast', payload: JSON.stringify(payload) });
  const { stderr } = await run([], env);
  const { status, result, last_error: error } = await readJob(db, id);
  return { id, status, result: JSON.parse(String(result)), error: String(error), stderr };
}

async function mailsInTable() {
  const [rows] = await db.pool.query<RowDataPacket[]>(
    "SELECT status, queue, priority, unique_key, payload FROM background_jobs WHERE job_type = 'email.send' ORDER BY id",
  );
  return rows;
}

test('everybody in a CSV file gets a mail of their own', async () => {
  file('two.csv', 'email,name\nann@example.org,Ann\nbob@example.org,Bob\n');
  expect(await broadcast({ template: TEMPLATE, recipients: 'two.csv' })).toMatchObject({
    status: 'completed',
    result: { recipients: 2, enqueued: 2, skipped: { duplicate: 0, faulty: 0 }, faults: [] },
    stderr: '',
  });
  const sent = server.mails.map(({ to, subject, text }) => [to, subject, text?.trim()]);
  expect(sent).toHaveLength(2);
  expect(await mailsInTable()).toMatchObject([
    { status: 'completed', queue: 'default', priority: 10 },
    { status: 'completed', queue: 'default', priority: 10 },
  ]);
});
