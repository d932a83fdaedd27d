import { listMigrations } from '../db/migrations';
import { requireSchema, versionOf } from '../db/schema';
import { type Check, ok } from './finding';

/** The tables are there, whole, and neither older nor newer than this package. */
export const schema: Check = {
  name: 'schema',
  async run({ pool, server }) {
    await requireSchema(pool, server);
    return ok(`at version ${versionOf(listMigrations())}`);
  },
};
