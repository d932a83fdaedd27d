import type { Queryable } from '../db/pool';
import { select } from '../db/statements';

const KEYS_AT_ONCE = 500;

/**
 * Those of the unique keys that jobs of this type have already. Another session may take one of the others at any time:
 * it is for keys that only the caller hands out.
 */
export async function findTakenKeys(on: Queryable, jobType: string, keys: readonly string[]): Promise<Set<string>> {
  const taken = new Set<string>();
  for (let at = 0; at < keys.length; at += KEYS_AT_ONCE) {
    const some = keys.slice(at, at + KEYS_AT_ONCE);
    const rows = await select<{ uniqueKey: string }>(on, 'find_taken_keys', { jobType, keys: some });
    for (const { uniqueKey } of rows) taken.add(uniqueKey);
  }
  return taken;
}
