import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RowDataPacket } from 'mysql2/promise';
import { createDatabase, type TestDatabase } from './database';
import { type Ended, type Running, rowlock, start } from './rowlock';
import { insertJob, readJob } from './rows';

/** A database, a module of job functions, and a folder in which these tell what they did. */
export interface Workshop {
  db: TestDatabase;
  /** `rowlock run` with the module, to its end. Commands connect as the worker, unless `env` says otherwise. */
  run(args?: string[], env?: Record<string, string>): Promise<Ended>;
  /** The same, without waiting. */
  start(args?: string[], env?: Record<string, string>): Running;
  /** Any other command that knows the module, without waiting. */
  startCommand(args: string[], env?: Record<string, string>): Running;
  /** Any other command, to its end. */
  rowlock(args: string[]): Promise<Ended>;
  /** Inserts a job with this payload and these columns; answers with its id. */
  add(type: string, payload?: unknown, columns?: Record<string, unknown>): Promise<number>;
  /** Inserts as many of the same, with consecutive ids. */
  addMany(jobs: number, type: string, payload?: unknown): Promise<void>;
  job(id: number): Promise<Record<string, unknown>>;
  /** The rows of a table, oldest first. */
  rows(sql: string, values?: unknown[]): Promise<RowDataPacket[]>;
  /** What the functions have noted so far, a line each. */
  notes(): string[];
  /** Puts a line of the test's own among them. */
  note(line: string): void;
  /** A file in the folder. */
  path(name: string): string;
  /** Lets functions pass that wait for this. */
  openGate(gate: string): void;
  /** No job, no run, no pause and no note is left of what was before. */
  clear(): Promise<void>;
}

const TABLES = [
  'background_jobs',
  'background_job_runs',
  'background_job_errors',
  'background_job_queues',
  'background_job_schedules',
];

const folders: string[] = [];

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** @param module a file of tests/fixtures */
export async function openWorkshop(module: string): Promise<Workshop> {
  const db = await createDatabase();
  const jobs = join(__dirname, '..', 'fixtures', module);
  let folder = newFolder();
  const environment = (env: Record<string, string> = {}) => ({
    DATABASE_URL: db.urls.worker,
    TEST_FOLDER: folder,
    ...env,
  });
  const workshop: Workshop = {
    db,
    run: (args = [], env) => rowlock(['run', '--jobs', jobs, ...args], { env: environment(env) }),
    start: (args = [], env) => start(['run', '--jobs', jobs, ...args], { env: environment(env) }),
    startCommand: ([command = '', ...args], env) =>
      start([command, '--jobs', jobs, ...args], { env: environment(env) }),
    rowlock: (args) => rowlock(args, { env: environment() }),
    add: (type, payload, columns = {}) =>
      insertJob(db, { job_type: type, payload: payload === undefined ? null : JSON.stringify(payload), ...columns }),
    async addMany(jobs, type, payload) {
      const row = [type, payload === undefined ? null : JSON.stringify(payload)];
      await db.producer.query('INSERT INTO background_jobs (job_type, payload) VALUES ?', [Array(jobs).fill(row)]);
    },
    job: (id) => readJob(db, id),
    async rows(sql, values = []) {
      const [rows] = await db.pool.query<RowDataPacket[]>(sql, values);
      return rows;
    },
    notes() {
      const path = join(folder, 'notes');
      return existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n') : [];
    },
    note: (line) => appendFileSync(join(folder, 'notes'), `${line}\n`),
    path: (name) => join(folder, name),
    openGate: (gate) => writeFileSync(join(folder, gate), ''),
    async clear() {
      for (const table of TABLES) await db.pool.query('DELETE FROM ??', [table]);
      folder = newFolder();
    },
  };
  return workshop;
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'rowlock-workshop-'));
  folders.push(folder);
  return folder;
}
