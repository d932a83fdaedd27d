import type { Queryable } from '../db/pool';
import { select } from '../db/statements';

export type Status = 'pending' | 'running' | 'completed' | 'failed';

export const STATUSES: readonly Status[] = ['pending', 'running', 'completed', 'failed'];

const LOWEST_PRIORITY = -32_769;
const HIGHEST_PRIORITY = 32_767;

/** The queues that hold a job in this status, by one index seek each. */
export async function findQueuesWith(on: Queryable, status: Status): Promise<string[]> {
  const found: string[] = [];
  let after = { queue: '', priority: LOWEST_PRIORITY };
  for (;;) {
    const [row] = await select<{ queue: string }>(on, 'find_next_queue', { status, ...after });
    if (row === undefined) return found;
    found.push(row.queue);
    after = { queue: row.queue, priority: HIGHEST_PRIORITY };
  }
}

/** The lanes that hold a job in this status, by one index seek each. */
export async function findLanesWith(on: Queryable, status: Status): Promise<{ queue: string; priority: number }[]> {
  const found: { queue: string; priority: number }[] = [];
  let after = { queue: '', priority: LOWEST_PRIORITY };
  for (;;) {
    const [row] = await select<{ queue: string; priority: number }>(on, 'find_next_queue', { status, ...after });
    if (row === undefined) return found;
    after = { queue: row.queue, priority: row.priority };
    found.push(after);
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
