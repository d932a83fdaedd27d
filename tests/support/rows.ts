import type { ResultSetHeader, RowDataPacket } from 'mysql2/promise';
import type { TestDatabase } from './database';

/** Inserts one row with these columns, as any app would; answers with its id. */
export async function insertRow(db: TestDatabase, table: string, columns: Record<string, unknown>): Promise<number> {
  const [{ insertId }] = await db.pool.query<ResultSetHeader>('INSERT INTO ?? SET ?', [table, columns]);
  return insertId;
}

/** Inserts a job of the type `test.echo`, or as the columns say. */
export const insertJob = (db: TestDatabase, columns: Record<string, unknown> = {}): Promise<number> =>
  insertRow(db, 'background_jobs', { job_type: 'test.echo', ...columns });

/** One job as it stands. JSON columns are text. */
export async function readJob(db: TestDatabase, id: number): Promise<Record<string, unknown>> {
  const [[row]] = await db.pool.query<RowDataPacket[]>('SELECT * FROM background_jobs WHERE id = ?', [id]);
  if (row === undefined) throw new Error(`there is no job ${id}`);
  return row;
}
