import { listCreatedTables, listMigrations } from '../db/migrations';
import { select } from '../db/statements';
import { type Check, fault, ok, unknown } from './finding';

/** Only InnoDB has row locks and transactions. A restore may have brought something else. */
export const tables: Check = {
  name: 'tables',
  async run({ pool }) {
    const names = ['background_job_migrations', ...listMigrations().flatMap(listCreatedTables)];
    const found = await select<{ name: string; engine: string | null }>(pool, 'list_engines', { names });
    if (found.length === 0) return unknown('there is none, or none that this user may see', 'see schema');
    const others = found.filter(({ engine }) => engine !== 'InnoDB');
    if (others.length === 0) return ok('InnoDB');
    return fault(
      `without row locks and transactions: ${others.map(({ name, engine }) => `${name} (${engine ?? 'a view'})`).join(', ')}`,
      others.map(({ name }) => `ALTER TABLE ${name} ENGINE = InnoDB`).join('; '),
    );
  },
};
