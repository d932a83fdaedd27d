import { listCreatedTables, listMigrations } from '../db/migrations';
import { select } from '../db/statements';
import { type Check, fault, ok, unknown } from './finding';

/** Only InnoDB has row locks and transactions. A restore may have brought something else. */
export const tables: Check = {
  name: 'tables',
  needsSchema: true,
  async run({ pool }) {
    const names = ['background_job_migrations', ...listMigrations().flatMap(listCreatedTables)];
    const found = await select<{ name: string; engine: string | null }>(pool, 'list_engines', { names });
    if (found.length === 0) return unknown('this user may see none of them', 'GRANT it a right on the tables, to know');
    const others = found.filter(({ engine }) => engine !== 'InnoDB');
    if (others.length === 0) return ok('InnoDB');
    return fault(
      `without row locks and transactions: ${others.map(({ name, engine }) => `${name} (${engine ?? 'a view'})`).join(', ')}`,
      others.map(({ name }) => `ALTER TABLE ${name} ENGINE = InnoDB`).join('; '),
    );
  },
};
