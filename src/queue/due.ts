import type { Queryable } from '../db/pool';
import { select } from '../db/statements';

export interface DueJobs {
  queue: string;
  priority: number;
  type: string;
  due: number;
}

/** What a run serves; empty: all of them. */
export interface Served {
  queues: readonly string[];
  types: readonly string[];
}

/** Due jobs of queues that are not paused, by queue and type; 10,000 are looked at. */
export const countDueByType = (on: Queryable, served: Served): Promise<DueJobs[]> =>
  select<DueJobs>(on, 'count_due_by_type', toFilter(served));

/** Jobs, 1,000 at most, that have been due for longer than this. */
export async function countDue(on: Queryable, served: Served, seconds: number): Promise<number> {
  const [row] = await select<{ due: number }>(on, 'count_due_jobs', { seconds, ...toFilter(served) });
  return row?.due ?? 0;
}

/** An empty list is no SQL: the name that nothing has stands in for it. */
const toFilter = ({ queues, types }: Served) => ({
  anyQueue: queues.length === 0,
  queues: queues.length === 0 ? [''] : [...queues],
  anyType: types.length === 0,
  types: types.length === 0 ? [''] : [...types],
});
