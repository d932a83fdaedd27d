import type { Queryable } from '../db/pool';
import { select } from '../db/statements';

export interface DueJobs {
  queue: string;
  priority: number;
  type: string;
  due: number;
}

/** Due jobs of queues that are not paused, by queue and type; 10,000 are looked at. */
export const countDueByType = (on: Queryable): Promise<DueJobs[]> => select<DueJobs>(on, 'count_due_by_type');
