import type { Pool, PoolConnection, RowDataPacket } from 'mysql2/promise';
import { nameOf } from '../../src/db/statements';
import { openQueuePool } from './tables';

/** What one statement made the server read. */
export interface Read {
  /** Its file in sql/queries, or its text. */
  statement: string;
  /** Entries of any index or table, as the Handler counters have them: not those that are marked deleted. */
  entries: number;
  /** Rows that it answered with, or that it changed. */
  rows: number;
}

/** A pool of one connection that asks the server, after each statement, what it has read for it. */
export interface ReadMeter {
  pool: Pool;
  /** What was read since the last call. */
  take(): Read[];
}

const open = new Set<Pool>();

afterAll(async () => {
  for (const pool of open) await pool.end();
});

/** As a run has it, but for its one connection: what is asked of it must be asked one after another. */
export async function openReadMeter(url: string): Promise<ReadMeter> {
  const real = openQueuePool(url, 1);
  open.add(real);
  const connection = await real.getConnection();
  // The first of all opens what the server keeps of its own tables.
  await countEntries(connection);
  const asking = -(await countEntries(connection)) + (await countEntries(connection));
  let seen = await countEntries(connection);
  let reads: Read[] = [];

  const query = async (given: string | { sql: string }) => {
    const answer = await connection.query<RowDataPacket[]>(given as { sql: string });
    const now = await countEntries(connection);
    const sql = typeof given === 'string' ? given : given.sql;
    reads.push({ statement: nameOf(sql) ?? sql, entries: now - seen - asking, rows: countRows(answer[0]) });
    seen = now;
    return answer;
  };
  const lent = substitute<PoolConnection>(connection, { query, release: () => undefined });
  return {
    pool: substitute<Pool>(real, { query, getConnection: () => Promise.resolve(lent) }),
    take() {
      const taken = reads;
      reads = [];
      return taken;
    },
  };
}

/** The same object, but for these of its methods. */
function substitute<T extends object>(of: T, methods: Record<string, unknown>): T {
  return new Proxy(of, {
    get(target, key) {
      const value: unknown = typeof key === 'string' && key in methods ? methods[key] : Reflect.get(target, key);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

const countRows = (answer: RowDataPacket[] | { affectedRows: number }): number =>
  'affectedRows' in answer ? answer.affectedRows : answer.length;

async function countEntries(on: PoolConnection): Promise<number> {
  const [rows] = await on.query<RowDataPacket[]>("SHOW SESSION STATUS LIKE 'Handler\\_read\\_%'");
  return rows.reduce((sum, row) => sum + Number(row['Value']), 0);
}

/** Entries that these statements read together; without a name, all of them. */
export const sumEntries = (reads: readonly Read[], ...names: string[]): number =>
  reads
    .filter(({ statement }) => names.length === 0 || names.includes(statement))
    .reduce((sum, { entries }) => sum + entries, 0);
