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

/**
 * The same after a claim that got no answer. The server may be at its COMMIT still: it holds the run's row
 * until then, so whoever asks for that row first sees what came of it.
 */
export async function findHeldForSure(on: Queryable, runId: number): Promise<HeldJob[]> {
  await select(on, 'lock_open_run', { runId });
  return findHeldJobs(on, runId);
}
