import { ConfigError } from '../errors';
import { explain, isMissingTable } from './faults';
import { listMigrations, type Migration } from './migrations';
import type { Queryable } from './pool';
import { select } from './statements';

/** A row of background_job_migrations: `applied_at` is NULL while the migration is under way, or if it died. */
export interface MigrationRecord {
  version: number;
  applied_at: Date | null;
}

/** The first versions with both SKIP LOCKED and JSON_TABLE. */
const OLDEST = { MySQL: [8, 0, 4], MariaDB: [10, 6, 0] } as const;

/**
 * Refuses to go on with a database whose tables are missing, half made, older or newer than this
 * package, or with a server that is too old. One cheap query when all is well.
 *
 * @param server its name, for messages
 */
export async function requireSchema(on: Queryable, server: string): Promise<void> {
  try {
    await checkSchema(on);
  } catch (error) {
    throw explain(error, server);
  }
}

async function checkSchema(on: Queryable): Promise<void> {
  const records = await readRecords(on);
  const [first] = records;
  if (first === undefined) {
    await requireServer(on);
    throw new ConfigError('this database has no Rowlock tables yet; run rowlock migrate');
  }
  refuseOldServer(first.server);
  const known = listMigrations();
  refuseNewer(records, known);
  await refuseHalfApplied(on, records, known);
  if (known.some(({ version }) => !records.some((record) => record.version === version))) {
    throw new ConfigError(
      `schema is at ${versionOf(records)}, this rowlock needs ${versionOf(known)}; run rowlock migrate`,
    );
  }
}

/** Refuses a server that cannot skip locked rows, or not take JSON apart. */
export async function requireServer(on: Queryable): Promise<void> {
  const [found] = await select<{ version: string }>(on, 'find_server_version');
  refuseOldServer(found?.version ?? '');
}

/** Refuses a schema that a newer package has made. */
export function refuseNewer(records: MigrationRecord[], known: Migration[]): void {
  if (versionOf(records) > versionOf(known)) {
    throw new ConfigError(
      `schema is at ${versionOf(records)}, this rowlock knows ${versionOf(known)}; upgrade rowlock`,
    );
  }
}

/** Refuses a migration that was begun and has not finished, whether it died or is still at work elsewhere. */
async function refuseHalfApplied(on: Queryable, records: MigrationRecord[], known: Migration[]): Promise<void> {
  const half = findHalfApplied(records, known);
  if (half === undefined) return;
  const [lock] = await select<{ holder: number | null }>(on, 'find_migration_lock');
  if ((lock?.holder ?? null) === null) throw halfAppliedError(half);
  throw new ConfigError(`rowlock migrate is at work on ${half.name} just now; try again when it has ended`);
}

export function findHalfApplied(records: MigrationRecord[], known: Migration[]): Migration | undefined {
  return known.find(({ version }) => records.some((r) => r.version === version && r.applied_at === null));
}

export function halfAppliedError({ version, name }: Migration): ConfigError {
  return new ConfigError(
    `migration ${name} was begun and never finished; either do the rest of sql/migrations/${name}.sql by hand and ` +
      `UPDATE background_job_migrations SET applied_at = NOW(3) WHERE version = ${version}, or undo what it did, ` +
      `DELETE FROM background_job_migrations WHERE version = ${version} and run rowlock migrate`,
  );
}

/** What is written down of migrations; empty also where nothing ever was. */
export async function readRecords(on: Queryable): Promise<(MigrationRecord & { server: string })[]> {
  try {
    return await select(on, 'list_migrations');
  } catch (error) {
    if (isMissingTable(error)) return [];
    throw error;
  }
}

export const versionOf = (of: readonly { version: number }[]): number => of.at(-1)?.version ?? 0;

function refuseOldServer(found: string): void {
  const { family, numbers } = readVersion(found);
  if (!isOlder(numbers, OLDEST[family])) return;
  throw new ConfigError(
    `the server is ${family} ${found}, but SKIP LOCKED and JSON_TABLE need MySQL 8.0.4 or MariaDB 10.6; upgrade it, or correct DATABASE_URL`,
  );
}

/** The server in two words: `MySQL 9.7.4`. */
export function nameServer(found: string): string {
  const { family, numbers } = readVersion(found);
  return `${family} ${numbers.filter(Number.isFinite).join('.')}`;
}

function readVersion(found: string): { family: keyof typeof OLDEST; numbers: number[] } {
  const numbers = found
    // Old MariaDB servers put 5.5.5- before their own version, for replicas that knew no 10.
    .replace(/^5\.5\.5-/, '')
    .split(/[.-]/, 3)
    .map((part) => Number.parseInt(part, 10));
  return { family: /mariadb/i.test(found) ? 'MariaDB' : 'MySQL', numbers };
}

/** Compares number by number; a part that is no number decides nothing. */
function isOlder(found: number[], oldest: readonly number[]): boolean {
  for (const [place, least] of oldest.entries()) {
    const number = found[place] ?? Number.NaN;
    if (number < least) return true;
    if (!(number === least)) return false;
  }
  return false;
}
