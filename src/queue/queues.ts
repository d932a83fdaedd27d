import type { Queryable } from '../db/pool';
import { select } from '../db/statements';

/** How a job stands. `failed` is for good: a dead letter, or cancelled. One that is to be tried again is `pending`. */
export type Status = 'pending' | 'running' | 'completed' | 'failed';

export const STATUSES: readonly Status[] = ['pending', 'running', 'completed', 'failed'];

const HIGHEST_PRIORITY = 32_767;

/** The queues that hold a job in this status, by one index seek each. */
export const findQueuesWith = async (on: Queryable, status: Status): Promise<string[]> =>
  (await walk(on, status, ({ queue }) => ({ queue, priority: HIGHEST_PRIORITY }))).map(({ queue }) => queue);

/** The lanes that hold a job in this status, by one index seek each. */
export const findLanesWith = (on: Queryable, status: Status): Promise<LaneName[]> => walk(on, status, (found) => found);

interface LaneName {
  queue: string;
  priority: number;
}

/** @param goOn behind which place the next one is looked for */
async function walk(on: Queryable, status: Status, goOn: (found: LaneName) => LaneName): Promise<LaneName[]> {
  const found: LaneName[] = [];
  let after: { queue: string | null; priority: number } = { queue: null, priority: 0 };
  for (;;) {
    const [row] = await select<LaneName>(on, 'find_next_queue', { status, ...after });
    if (row === undefined) return found;
    found.push({ queue: row.queue, priority: row.priority });
    after = goOn(row);
  }
}

/** Every queue that holds a job. */
export async function findQueues(on: Queryable): Promise<Set<string>> {
  const found = new Set<string>();
  for (const status of STATUSES) {
    for (const queue of await findQueuesWith(on, status)) found.add(queue);
  }
  return found;
}
