import { type ConnectionSettings, requireDatabase, type Settings, serverName } from '../config';
import { explain } from '../db/faults';
import { openPool, type Pool } from '../db/pool';
import { requireSchema } from '../db/schema';

/** A command sends one statement at a time; a second connection takes over from one that was lost. */
const CONNECTIONS = 2;

/** Longer than any one of a command's statements takes. */
const SESSION_TIMEOUT_MS = 60_000;

/**
 * What every command that asks the queue something has around it: a pool that is closed again, tables
 * that are there, and the driver's errors in words.
 */
export async function withQueue<T>(settings: Settings, ask: (pool: Pool) => Promise<T>): Promise<T> {
  const database = requireDatabase(settings);
  const pool = openPool(database, { connections: CONNECTIONS, sessionTimeoutMs: SESSION_TIMEOUT_MS });
  try {
    await requireSchema(pool, serverName(database));
    return await ask(pool);
  } catch (error) {
    throw explainTo(database, error);
  } finally {
    await pool.end();
  }
}

const explainTo = (database: ConnectionSettings, error: unknown): unknown => explain(error, serverName(database));
