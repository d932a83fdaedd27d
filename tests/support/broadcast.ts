import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RowDataPacket } from 'mysql2/promise';
import { createDatabase, type TestDatabase } from './database';
import { type MailServer, startMailServer } from './mail-server';
import { type Ended, type RowlockOptions, type Running, rowlock, start } from './rowlock';
import { insertJob, readJob } from './rows';

/** A database, a mail server, and the folders that a broadcast reads. */
export interface BroadcastBench {
  db: TestDatabase;
  server: MailServer;
  files: string;
  templates: string;
  queries: string;
  /** Inserts one with this payload; answers with its id. */
  add(payload: unknown): Promise<number>;
  /** `rowlock run` to its end. */
  run(args?: string[], env?: Record<string, string>): Promise<Ended>;
  /** The same, without waiting. */
  start(args?: string[]): Running;
  /** A row with its JSON parsed. */
  job(id: number): Promise<{ status: unknown; attempts: unknown; error: unknown; result: unknown }>;
  /** The jobs of email.send, oldest first. */
  mails(): Promise<Mail[]>;
  clear(): Promise<void>;
}

interface Mail {
  id: number;
  status: string;
  queue: string;
  priority: number;
  key: string;
  error: string | null;
  attempts: number;
  payload: { to: string; from?: string; replyTo?: string; subject: string; text?: string; html?: string };
}

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

export async function openBroadcastBench(): Promise<BroadcastBench> {
  const db = await createDatabase();
  const server = await startMailServer();
  const root = mkdtempSync(join(tmpdir(), 'rowlock-broadcast-'));
  folders.push(root);
  const [files, templates, queries] = ['files', 'templates', 'queries'].map((name) => join(root, name)) as [
    string,
    string,
    string,
  ];
  for (const folder of [files, templates, queries]) mkdirSync(folder);
  const options = (env: Record<string, string> = {}): RowlockOptions => ({
    env: {
      DATABASE_URL: db.urls.worker,
      SMTP_URL: server.url,
      MAIL_FROM: 'Shop <shop@example.com>',
      JOB_FILES_DIR: files,
      MAIL_TEMPLATE_DIR: templates,
      MAIL_SQL_DIR: queries,
      ...env,
    },
  });
  return {
    db,
    server,
    files,
    templates,
    queries,
    add: (payload) => insertJob(db, { job_type: 'email.broadcast', payload: JSON.stringify(payload) }),
    run: (args = [], env) => rowlock(['run', ...args], options(env)),
    start: (args = []) => start(['run', ...args], options()),
    async job(id) {
      const { status, attempts, last_error: error, result } = await readJob(db, id);
      return { status, attempts, error, result: JSON.parse(String(result)) };
    },
    async mails() {
      const [rows] = await db.pool.query<RowDataPacket[]>(
        `SELECT id, status, queue, priority, unique_key AS 'key', last_error AS error, attempts, payload
         FROM background_jobs WHERE job_type = 'email.send' ORDER BY id`,
      );
      return rows.map((row) => ({ ...row, payload: JSON.parse(row['payload']) }) as Mail);
    },
    async clear() {
      for (const table of ['background_jobs', 'background_job_runs', 'background_job_errors'])
        await db.pool.query('DELETE FROM ??', [table]);
      server.mails.length = 0;
    },
  };
}
