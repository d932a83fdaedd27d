import type { Queryable } from '../db/pool';
import { select } from '../db/statements';
import { ConfigError } from '../errors';
import { withoutPadding } from './names';

/** How a job stands. `failed` is for good: a dead letter, or cancelled. One that is to be tried again is `pending`. */
export type Status = 'pending' | 'running' | 'completed' | 'failed';

export const STATUSES: readonly Status[] = ['pending', 'running', 'completed', 'failed'];

const HIGHEST_PRIORITY = 32_767;

interface LaneName {
  queue: string;
  priority: number;
}

/** Where a walk goes on: behind this place; queue null: at the first of all. */
export type Behind = {
  queue: string | null;
  priority: number;
};

/** The queues that hold a job in this status, by one index seek each. */
export async function findQueuesWith(on: Queryable, status: Status): Promise<string[]> {
  const found: string[] = [];
  for await (const { queue } of walk(on, status, ({ queue }) => ({ queue, priority: HIGHEST_PRIORITY })))
    found.push(queue);
  return found;
}

/** The lanes that hold a job in this status, by one index seek each, when they are asked for. */
export const walkLanesWith = (on: Queryable, status: Status): AsyncGenerator<LaneName> =>
  walk(on, status, (found) => found);

/** @param goOn behind which place the next one is looked for */
async function* walk(
  on: Queryable,
  status: Status,
  goOn: (found: LaneName) => LaneName,
): AsyncGenerator<LaneName, void, void> {
  let after: Behind = { queue: null, priority: 0 };
  for (;;) {
    const [row] = await select<LaneName>(on, 'find_next_queue', { status, ...after });
    if (row === undefined) return;
    const found = { queue: withoutPadding(row.queue), priority: row.priority };
    yield found;
    after = requireProgress(goOn(found), after);
  }
}

/**
 * A session whose charset cannot hold a queue's name reads question marks, and would look behind these for ever.
 *
 * @throws ConfigError
 */
export function requireProgress(next: LaneName, before: Behind): LaneName {
  if (next.queue !== before.queue || next.priority !== before.priority) return next;
  throw new ConfigError(
    "a queue has a name that the charset of this connection cannot hold; use utf8mb4, mysql2's default",
  );
}

/** Every queue that holds a job. */
export async function findQueues(on: Queryable): Promise<Set<string>> {
  const found = new Set<string>();
  for (const status of STATUSES) {
    for (const queue of await findQueuesWith(on, status)) found.add(queue);
  }
  return found;
}
