import type { PoolConnection, RowDataPacket } from 'mysql2/promise';
import type { TestDatabase } from './database';
import { until } from './until';

/** An open transaction of the test's own. */
export interface Held {
  commit(): Promise<void>;
  release(): Promise<void>;
}

/** The sessions that others than the test have open in its database. */
export interface Sessions {
  /** Ids of those that are open now. */
  open(): Promise<number[]>;
  /** Waits until one of them is at a statement with this text. */
  waitFor(text: string): Promise<void>;
  /** A connection of the test's own, inside a transaction that has run this statement and holds its locks. */
  hold(sql: string, values?: unknown[]): Promise<Held>;
}

/** To be called before anyone else has a session. The test may use two connections of its pool at once, not more. */
export async function watchSessions({ name, pool, producer }: TestDatabase): Promise<Sessions> {
  const list = async () => {
    // Of this database alone: to show a statement of another's with an emoji in it is an error of MySQL's.
    const [rows] = await pool.query<RowDataPacket[]>(
      'SELECT ID AS Id, INFO AS Info FROM information_schema.PROCESSLIST WHERE DB = ?',
      [name],
    );
    return rows;
  };
  const holder = await pool.getConnection();
  await Promise.all([pool, producer].map((each) => each.query('SELECT 1')));
  const own = new Set((await list()).map(({ Id }) => Id));
  holder.release();
  const others = async () => (await list()).filter(({ Id }) => !own.has(Id));
  return {
    open: async () => (await others()).map(({ Id }) => Number(Id)),
    async waitFor(text) {
      await until(async () => (await others()).some(({ Info }) => Info?.includes(text)), `a session is at ${text}`);
    },
    async hold(sql, values) {
      const connection = await pool.getConnection();
      await connection.query('START TRANSACTION');
      await connection.query(sql, values);
      return { commit: () => end(connection, 'COMMIT'), release: () => end(connection, 'ROLLBACK') };
    },
  };
}

async function end(connection: PoolConnection, how: 'COMMIT' | 'ROLLBACK'): Promise<void> {
  await connection.query(how);
  connection.release();
}
