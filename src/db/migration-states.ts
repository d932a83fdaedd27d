import { JOBS_VERSION, listMigrations } from './migrations';
import type { Queryable } from './pool';
import { readRecords } from './schema';
import { select } from './statements';

/** What has become of one migration. The names are those of the command's JSON. */
export interface MigrationState {
  version: number;
  name: string;
  state: 'applied' | 'not applied' | 'begun, not finished' | 'applied, unknown to this rowlock';
  applied_at: Date | null;
}

export interface MigrationStates {
  migrations: MigrationState[];
  /** There is a background_jobs that no migration created. */
  home_made: boolean;
}

/** Tells each migration that the package knows or the database has. Changes nothing. */
export async function readMigrationStates(on: Queryable): Promise<MigrationStates> {
  const records = await readRecords(on);
  const known = listMigrations();
  const states = known.map(({ version, name }): MigrationState => {
    const record = records.find((r) => r.version === version);
    if (record === undefined) return { version, name, state: 'not applied', applied_at: null };
    const { applied_at } = record;
    return { version, name, state: applied_at === null ? 'begun, not finished' : 'applied', applied_at };
  });
  const newer = records
    .filter(({ version }) => !known.some((migration) => migration.version === version))
    .map(({ version, applied_at }): MigrationState => {
      const name = String(version).padStart(4, '0');
      return { version, name, state: 'applied, unknown to this rowlock', applied_at };
    });
  const tables = await select(on, 'list_tables', { names: ['background_jobs'] });
  const recorded = records.some(({ version }) => version === JOBS_VERSION);
  return { migrations: [...states, ...newer], home_made: tables.length > 0 && !recorded };
}
