import { createDatabase, type TestDatabase } from './database';
import { insertRow } from './rows';

/** A database for what the doctor finds in it. */
export interface DoctorBench {
  db: TestDatabase;
  sql(statement: string, values?: unknown[]): Promise<unknown>;
  /** A run that began so long ago, and has ended at once; answers with its id. */
  aRun(secondsAgo?: number, columns?: Record<string, unknown>): Promise<number>;
  /** Nothing but one run of just now is left of what was before. */
  clear(): Promise<void>;
}

export async function openDoctorBench(): Promise<DoctorBench> {
  const db = await createDatabase();
  let nextRun = 1;
  const bench: DoctorBench = {
    db,
    sql: (statement, values = []) => db.pool.query(statement, values),
    async aRun(secondsAgo = 10, columns = {}) {
      const id = nextRun++;
      await insertRow(db, 'background_job_runs', { id, host: 'web1', pid: 42, ...columns });
      await db.pool.query(
        `UPDATE background_job_runs SET started_at = NOW(3) - INTERVAL ${secondsAgo} SECOND, finished_at = NOW(3) - INTERVAL ${secondsAgo} SECOND, outcome = 'finished' WHERE id = ?`,
        [id],
      );
      return id;
    },
    async clear() {
      for (const table of ['background_jobs', 'background_job_runs', 'background_job_queues'])
        await db.pool.query('DELETE FROM ??', [table]);
      await bench.aRun();
    },
  };
  return bench;
}
