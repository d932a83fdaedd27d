import type { Pool } from 'mysql2/promise';
import { type ConnectionSettings, loadSettings, requireDatabase, type Settings } from '../../src/config';
import { openPool } from '../../src/db/pool';

/** The settings that a command would read with this DATABASE_URL. */
export function settingsFor(url: string): Settings {
  const before = process.env['DATABASE_URL'];
  process.env['DATABASE_URL'] = url;
  try {
    return loadSettings();
  } finally {
    if (before === undefined) delete process.env['DATABASE_URL'];
    else process.env['DATABASE_URL'] = before;
  }
}

const connectionFor = (url: string): ConnectionSettings => requireDatabase(settingsFor(url));

/** A pool with Rowlock's own session, closed when `body` has ended. */
export async function withPool<T>(url: string, body: (pool: Pool) => Promise<T>): Promise<T> {
  const pool = openPool(connectionFor(url), { connections: 3, sessionTimeoutMs: 60_000 });
  try {
    return await body(pool);
  } finally {
    await pool.end();
  }
}

/** Everything that a change could change: each table's definition and rows. */
export async function dumpDatabase(pool: Pool): Promise<Record<string, unknown>> {
  const dump: Record<string, unknown> = {};
  const [tables] = await pool.query('SHOW TABLES');
  for (const table of (tables as Record<string, string>[]).map((row) => Object.values(row)[0])) {
    const [create] = await pool.query(`SHOW CREATE TABLE \`${table}\``);
    const [rows] = await pool.query({
      sql: `SELECT * FROM \`${table}\` ORDER BY 1`,
      typeCast: (field) => field.string('utf8'),
    });
    dump[table ?? ''] = { create, rows };
  }
  return dump;
}

/** The rows of each table: what {@link dumpDatabase} tells, without counters that a rollback leaves used. */
export async function dumpRows(pool: Pool): Promise<Record<string, unknown>> {
  const dump = (await dumpDatabase(pool)) as Record<string, { rows: unknown }>;
  return Object.fromEntries(Object.entries(dump).map(([table, { rows }]) => [table, rows]));
}

/** A pool as a run has it; the caller closes it. */
export const openQueuePool = (url: string, connections = 3): Pool =>
  openPool(connectionFor(url), { connections, sessionTimeoutMs: 60_000 });
