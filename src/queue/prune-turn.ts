import { isDuplicate } from '../db/faults';
import type { Queryable } from '../db/pool';
import { change, insert, select } from '../db/statements';
import { OWN_NAMES } from './job';

/** Its row stands among those of the schedules. */
const TURN = { name: `${OWN_NAMES}prune` };

/**
 * True for one run a day across all hosts: the one that moves the time on. It has its turn from then on, also if
 * it dies at once: the next one is a day later.
 */
export async function takePruneTurn(on: Queryable): Promise<boolean> {
  const [row] = await select<{ isDue: number }>(on, 'find_prune_turn', TURN);
  if (row === undefined) return insertTurn(on);
  return row.isDue === 1 && (await change(on, 'take_prune_turn', TURN)) > 0;
}

async function insertTurn(on: Queryable): Promise<boolean> {
  try {
    await insert(on, 'insert_prune_turn', TURN);
    return true;
  } catch (error) {
    if (isDuplicate(error)) return false;
    throw error;
  }
}

/** The next run that asks has a turn at once. */
export async function passPruneTurn(on: Queryable): Promise<void> {
  await change(on, 'pass_prune_turn', TURN);
}
