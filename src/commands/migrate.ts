import { type ConnectionSettings, requireDatabase, type Settings, serverName } from '../config';
import { explain } from '../db/faults';
import { AdoptionRefused, type Migrated, migrate } from '../db/migrate';
import { readMigrationStates } from '../db/migration-states';
import { openPool, type Pool } from '../db/pool';
import { EXIT, type ExitCode } from '../errors';
import { sayAdopted, sayPlan } from './adoption';
import { print, toJsonLine } from './print';

export interface MigrateCommandOptions {
  adopt?: boolean;
  status?: boolean;
  json?: boolean;
}

/** One connection holds the lock and migrates, two try SKIP LOCKED. */
const CONNECTIONS = 3;

/** The lock's session must not be ended between two statements, however slow this host is. */
const SESSION_TIMEOUT_MS = 600_000;

/** `rowlock migrate [--adopt] [--status] [--json]`. */
export async function migrateCommand(settings: Settings, options: MigrateCommandOptions): Promise<ExitCode> {
  const database = requireDatabase(settings);
  const pool = openPool(database, { connections: CONNECTIONS, sessionTimeoutMs: SESSION_TIMEOUT_MS });
  try {
    print(options.status === true ? await tellStatus(pool, options) : await bringUpToDate(pool, database, options));
    return EXIT.ok;
  } catch (error) {
    if (error instanceof AdoptionRefused)
      print(options.json === true ? toJsonLine({ adoption: error.plan }) : sayPlan(error.plan));
    throw explain(error, serverName(database));
  } finally {
    await pool.end();
  }
}

async function bringUpToDate(
  pool: Pool,
  database: ConnectionSettings,
  { adopt = false, json = false }: MigrateCommandOptions,
): Promise<string> {
  const migrated = await migrate(pool, { adopt });
  return json ? toJsonLine(migrated) : sayMigrated(migrated, database);
}

function sayMigrated({ version, applied, adopted }: Migrated, { database }: ConnectionSettings): string {
  if (applied.length === 0) return `schema is at version ${version}, nothing to do`;
  const lines = [`applied ${applied.join(', ')}: schema of ${database} is at version ${version}`];
  return (adopted === undefined ? lines : [...lines, sayAdopted(adopted)]).join('\n');
}

async function tellStatus(pool: Pool, { json = false }: MigrateCommandOptions): Promise<string> {
  const states = await readMigrationStates(pool);
  if (json) return toJsonLine(states);
  const width = Math.max(...states.migrations.map(({ name }) => name.length));
  const lines = states.migrations.map(({ name, state, applied_at }) => {
    const when = applied_at === null ? state : `${state} ${applied_at.toISOString()}`;
    return `${name.padEnd(width)}  ${when}`;
  });
  if (states.home_made)
    lines.push('background_jobs was not created by Rowlock; rowlock migrate shows what adopting it would alter');
  return lines.join('\n');
}
