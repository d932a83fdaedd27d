import type { Pool, ResultSetHeader, RowDataPacket } from 'mysql2/promise';
import type { TestDatabase } from './database';

const PRODUCED = ['job_type', 'payload', 'queue', 'priority', 'run_at', 'unique_key', 'max_attempts'];

/** Inserts one row with these columns, whatever they are; answers with its id. */
export const insertRow = (db: TestDatabase, table: string, columns: Record<string, unknown>): Promise<number> =>
  insert(db.pool, table, columns);

/** Inserts a job of the type `test.echo`, or as the columns say: as any app would, where an app fills no others. */
export function insertJob(db: TestDatabase, columns: Record<string, unknown> = {}): Promise<number> {
  const isAnApps = Object.keys(columns).every((name) => PRODUCED.includes(name));
  return insert(isAnApps ? db.producer : db.pool, 'background_jobs', { job_type: 'test.echo', ...columns });
}

async function insert(on: Pool, table: string, columns: Record<string, unknown>): Promise<number> {
  const [{ insertId }] = await on.query<ResultSetHeader>('INSERT INTO ?? SET ?', [table, columns]);
  return insertId;
}

/** The database's clock, in milliseconds since 1970, as a statement of this moment has it. */
export async function readClock(db: TestDatabase): Promise<number> {
  const [[row]] = await db.pool.query<RowDataPacket[]>('SELECT ROUND(UNIX_TIMESTAMP(NOW(3)) * 1000) AS now');
  return Number(row?.['now']);
}

/** One job as it stands. JSON columns are text. */
export async function readJob(db: TestDatabase, id: number): Promise<Record<string, unknown>> {
  const [[row]] = await db.pool.query<RowDataPacket[]>('SELECT * FROM background_jobs WHERE id = ?', [id]);
  if (row === undefined) throw new Error(`there is no job ${id}`);
  return row;
}
