import { listWantedKeys, type WantedKey } from '../db/adopt-columns';
import { type FoundKey, readKeys } from '../db/adopt-shape';
import { readPlan } from '../db/statements';
import { type Check, fault, ok, unknown } from './finding';

/** Without the right columns in the right order a claim reads, or locks, what it does not take; unique_key needs its own. */
export const keys: Check = {
  name: 'keys',
  needsSchema: true,
  async run({ pool }) {
    await readPlan(pool, 'find_jobs_by_id', { ids: [0] }); // MariaDB hides keys from a user that may not read their columns
    const found = await readKeys(pool);
    if (found.length === 0) return unknown('this user may see none of them', 'GRANT it a right on the tables, to know');
    const wanted = listWantedKeys();
    const wrong = wanted.filter((key) => !found.some((other) => isSame(key, other)));
    if (wrong.length === 0) return ok(wanted.map(({ name }) => name).join(', '));
    return fault(
      `gone from background_jobs, or not as it was made: ${wrong.map(({ name }) => name).join(', ')}`,
      `ALTER TABLE background_jobs ${wrong.map((key) => sayAlteration(key, found)).join(', ')}`,
    );
  },
};

const isSame = (wanted: WantedKey, found: FoundKey): boolean =>
  wanted.name === found.name &&
  wanted.unique === found.unique &&
  wanted.columns.join() === found.columns.join().toLowerCase();

const sayAlteration = ({ name, definition }: WantedKey, found: readonly FoundKey[]): string =>
  `${found.some((other) => other.name === name) ? `DROP KEY ${name}, ` : ''}ADD ${definition}`;
