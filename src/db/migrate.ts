import { ConfigError, UnreachableError } from '../errors';
import { alterJobs, pauseDefault } from './adopt';
import { type AdoptionPlan, planAdoption } from './adopt-plan';
import { isConnectionLost, isLockWaitTimeout } from './faults';
import { JOBS_VERSION, listCreatedTables, listMigrations, type Migration, readStatements } from './migrations';
import type { Pool, PoolConnection, Queryable } from './pool';
import {
  findHalfApplied,
  halfAppliedError,
  type MigrationRecord,
  readRecords,
  refuseNewer,
  requireServer,
  versionOf,
} from './schema';
import { requireSkipLocked } from './skip-locked';
import { change, select } from './statements';

export interface MigrateOptions {
  /** Alters a background_jobs that another app has made. @default false */
  adopt?: boolean;
}

export interface Migrated {
  version: number;
  /** Names of the migrations that were applied just now. */
  applied: string[];
  /** What was done to another app's table, if one was adopted just now. */
  adopted?: AdoptionPlan;
}

/** There is a background_jobs that Rowlock did not create, and it was left as it is. */
export class AdoptionRefused extends ConfigError {
  readonly plan: AdoptionPlan;
  constructor(message: string, plan: AdoptionPlan) {
    super(message);
    this.plan = plan;
  }
}

/** Times that the lock is asked for, 20 s each: a big table takes its time to alter. */
const LOCK_TRIES = 90;

/**
 * Brings the database's tables to the version of this package. Any number of hosts may call this at
 * once: one works, the others wait and then find nothing to do. Needs three connections of the pool.
 */
export async function migrate(pool: Pool, { adopt = false }: MigrateOptions = {}): Promise<Migrated> {
  await requireServer(pool);
  const connection = await pool.getConnection();
  try {
    await takeLock(connection);
    const migrated = await migrateUnderLock(pool, connection, adopt);
    await select(connection, 'release_migration_lock');
    connection.release();
    return migrated;
  } catch (error) {
    connection.destroy(); // the lock ends with the session
    throw error;
  }
}

async function takeLock(connection: PoolConnection): Promise<void> {
  await change(connection, 'set_ddl_patience');
  for (let tries = 1; tries <= LOCK_TRIES; tries++) {
    const [lock] = await select<{ taken: number | null }>(connection, 'take_migration_lock');
    if (lock?.taken === 1) return;
  }
  throw new UnreachableError(
    'another rowlock migrate has been at work for half an hour; wait for it, or end its session on the server',
  );
}

async function migrateUnderLock(pool: Pool, connection: PoolConnection, adopt: boolean): Promise<Migrated> {
  const known = listMigrations();
  const records = await readRecords(connection);
  refuseNewer(records, known);
  const plan = await planIfHomeMade(connection, records);
  if (plan !== undefined) refuseAdoption(plan, adopt);
  // An adoption that died goes on where it was: its migrations can be gone through again.
  else refuseHalfApplied(records, known);
  const pending = known.filter(({ version }) => !records.some((r) => r.version === version && r.applied_at !== null));
  await refuseTakenNames(connection, pending, records, plan);
  if (records.length === 0) {
    await change(connection, 'create_migrations_table');
    await change(connection, 'insert_canary');
  }
  await requireSkipLocked(pool);
  for (const migration of pending) {
    if (plan !== undefined && migration.version === JOBS_VERSION) await adoptJobs(connection, plan);
    else await apply(connection, migration);
  }
  return {
    version: versionOf(known),
    applied: pending.map(({ name }) => name),
    ...(plan === undefined ? {} : { adopted: plan }),
  };
}

/** A background_jobs is another app's as long as its own migration is not written down. */
async function planIfHomeMade(
  connection: PoolConnection,
  records: MigrationRecord[],
): Promise<AdoptionPlan | undefined> {
  if (records.some(({ version }) => version === JOBS_VERSION)) return undefined;
  const taken = await listTaken(connection, ['background_jobs']);
  return taken.length === 0 ? undefined : planAdoption(connection);
}

function refuseAdoption(plan: AdoptionPlan, adopt: boolean): void {
  if (plan.blockers.length > 0) {
    const subjects = [...new Set(plan.blockers.map(({ subject }) => subject))].join(', ');
    throw new AdoptionRefused(
      `background_jobs was not created by Rowlock and cannot be adopted as it is; mend what stands in the way (${subjects}), then run rowlock migrate --adopt; nothing was changed`,
      plan,
    );
  }
  if (adopt) return;
  throw new AdoptionRefused(
    'background_jobs was not created by Rowlock; to alter it as planned, run rowlock migrate --adopt; nothing was changed',
    plan,
  );
}

function refuseHalfApplied(records: MigrationRecord[], known: Migration[]): void {
  const half = findHalfApplied(records, known);
  if (half !== undefined) throw halfAppliedError(half);
}

/** A table of another app under one of Rowlock's names would be taken for Rowlock's own. */
async function refuseTakenNames(
  connection: PoolConnection,
  pending: Migration[],
  records: MigrationRecord[],
  plan: AdoptionPlan | undefined,
): Promise<void> {
  const begun = (migration: Migration) => records.some(({ version }) => version === migration.version);
  const names = pending
    .filter((migration) => !begun(migration) && !(plan !== undefined && migration.version === JOBS_VERSION))
    .flatMap(listCreatedTables);
  const taken = await listTaken(connection, names);
  if (taken.length === 0) return;
  throw new ConfigError(
    `no migration of Rowlock created ${taken.join(', ')}, yet the name is taken; rename or drop it, then run rowlock migrate`,
  );
}

async function listTaken(on: Queryable, names: string[]): Promise<string[]> {
  if (names.length === 0) return [];
  return (await select<{ name: string }>(on, 'list_tables', { names })).map(({ name }) => name);
}

/**
 * The steps of an adoption, each of which may be the last: no command works before the final one, and
 * by then every queue is paused. Until the ALTER the table is as it was; after it, there is nothing left to alter.
 */
async function adoptJobs(connection: PoolConnection, plan: AdoptionPlan): Promise<void> {
  await pauseDefault(connection);
  await alterJobs(connection, plan);
  await change(connection, 'finish_migration', { version: JOBS_VERSION });
}

async function apply(connection: PoolConnection, migration: Migration): Promise<void> {
  const { version, name } = migration;
  await change(connection, 'begin_migration', { version });
  const statements = readStatements(migration);
  for (const [done, statement] of statements.entries()) {
    try {
      await connection.query(statement); // with no limit of time
    } catch (error) {
      // One statement of DDL happens or does not: after the first has failed, nothing was begun.
      if (done === 0 && !isConnectionLost(error)) await change(connection, 'forget_migration', { version });
      throw busyOr(error, name);
    }
  }
  await change(connection, 'finish_migration', { version });
}

/** A table that stays in use is no fault of the schema's. */
function busyOr(error: unknown, name: string): unknown {
  if (!isLockWaitTimeout(error)) return error;
  return new UnreachableError(
    `${name} waited 10 s for an open transaction on its table and gave up; run rowlock migrate again`,
    {
      cause: error,
    },
  );
}
