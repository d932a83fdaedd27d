import type { Queryable } from '../db/pool';
import { select } from '../db/statements';
import type { JobId } from './job';

export interface HeldJob {
  id: JobId;
  attempts: number;
  cancelled: boolean;
}

/** The jobs that the database says the run holds: what the run itself remembers is checked against it. */
export async function findHeldJobs(on: Queryable, runId: number): Promise<HeldJob[]> {
  const rows = await select<{ id: JobId; attempts: number; cancelled: number }>(on, 'find_held_jobs', { runId });
  return rows.map(({ id, attempts, cancelled }) => ({ id, attempts, cancelled: cancelled === 1 }));
}
