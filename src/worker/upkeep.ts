import type { Pool } from '../db/pool';
import { messageOf } from '../errors';
import type { Emit } from '../events';
import { rescueJobs } from '../queue/rescue';
import { enqueueTicks } from '../queue/schedules';
import { listSchedules } from './recurring';
import type { Registry } from './registry';

/**
 * What every run does before it asks for a slot, so that it is done although a long run has the host: it
 * enqueues what the schedules owe, and takes back the jobs of dead runs.
 */
export async function keepUp(pool: Pool, registry: Registry, emit: Emit): Promise<void> {
  const { types, late, refused } = await enqueueTicks(pool, listSchedules(registry));
  if (types.length > 0) emit('jobs.enqueued', { count: types.length, types });
  if (late.length > 0) emit('schedule.late', { types: late });
  for (const { type, error } of refused) emit('schedule.refused', { job_type: type, error: messageOf(error) });

  const rescued = await rescueJobs(pool, registry.freesKey);
  if (rescued > 0) emit('jobs.rescued', { count: rescued });
}
