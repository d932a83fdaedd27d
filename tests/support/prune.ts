import type { RowDataPacket } from 'mysql2/promise';
import type { Pruned } from '../../src/queue/prune';
import { openQueueBench, type QueueBench } from './queue';

export const DAY_MS = 86_400_000;
export const TWO_WEEKS = { ageMs: 14 * DAY_MS };

/** What a prune tells that found nothing. */
export const NOTHING: Pruned = {
  completed: 0,
  failed: 0,
  runs: 0,
  orphanedErrors: 0,
  kept: 0,
  keptBy: [],
  undated: 0,
  locked: 0,
  isWhole: true,
};

/** A database with jobs that have ended, and a pool that waits a second for a lock. */
export interface PruneBench extends QueueBench {
  sql(statement: string, values?: unknown[]): Promise<RowDataPacket[]>;
  /** Jobs that were due and ended this many days ago. */
  addEnded(count: number, daysAgo: number, status?: string, queue?: string): Promise<void>;
  /** One of them, with these columns. */
  addOne(daysAgo: number, columns?: Record<string, unknown>): Promise<number>;
  count(table: string): Promise<number>;
  ids(): Promise<number[]>;
}

export async function openPruneBench(): Promise<PruneBench> {
  const bench = await openQueueBench(6);
  bench.pool.pool.on('connection', (connection) => connection.query('SET SESSION innodb_lock_wait_timeout = 1'));
  const sql = async (statement: string, values: unknown[] = []): Promise<RowDataPacket[]> => {
    const [rows] = await bench.db.pool.query<RowDataPacket[]>(statement, values);
    return rows;
  };
  return {
    ...bench,
    sql,
    async addEnded(count, daysAgo, status = 'completed', queue = `'default'`) {
      await sql(
        `INSERT INTO background_jobs (job_type, status, run_at, processed_at, queue, attempts)
         SELECT 'test.echo', ?, NOW(3) - INTERVAL ? DAY, NOW(3) - INTERVAL ? DAY, ${queue}, 1 FROM ${numbers(count)}`,
        [status, daysAgo, daysAgo],
      );
    },
    addOne(daysAgo, columns = {}) {
      const at = new Date(Date.now() - daysAgo * DAY_MS);
      return bench.add({ status: 'completed', run_at: at, processed_at: at, attempts: 1, ...columns });
    },
    count: async (table) => Number((await sql(`SELECT COUNT(*) AS n FROM ${table}`))[0]?.['n']),
    ids: async () => (await sql('SELECT id FROM background_jobs ORDER BY id')).map(({ id }) => id),
  };
}

/** As many rows as asked for, made inside the server, `SELECT n` from 0 up. */
export const numbers = (count: number): string =>
  `(SELECT n - 1 AS n FROM JSON_TABLE(CONCAT('[0', REPEAT(',0', ${count - 1}), ']'), '$[*]' COLUMNS (n FOR ORDINALITY)) AS list) AS numbers`;
