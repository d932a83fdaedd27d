import type { Queryable } from '../db/pool';
import { select } from '../db/statements';

/** The longest statement that the server takes, in bytes. */
export async function readLargestPacket(on: Queryable): Promise<number> {
  const [row] = await select<{ maxAllowedPacket: number | string }>(on, 'read_server');
  return Number(row?.maxAllowedPacket ?? 1_048_576);
}
