import type { Queryable } from '../db/pool';
import { select } from '../db/statements';

/** How a job stands. `failed` is for good: a dead letter, or cancelled. One that is to be tried again is `pending`. */
export type Status = 'pending' | 'running' | 'completed' | 'failed';

export const STATUSES: readonly Status[] = ['pending', 'running', 'completed', 'failed'];

/** The queues that hold a job in this status, by one index seek each. */
export async function findQueuesWith(on: Queryable, status: Status): Promise<string[]> {
  const found: string[] = [];
  let after: string | null = null;
  for (;;) {
    const [row]: { queue: string }[] = await select(on, 'find_next_queue', { status, queue: after });
    if (row === undefined) return found;
    found.push(row.queue);
    after = row.queue;
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
