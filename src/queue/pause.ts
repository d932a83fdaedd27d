import type { Queryable } from '../db/pool';
import { change, select } from '../db/statements';
import { withoutPadding } from './names';

/** No run claims from the queue from here on. The answer: whether it was paused before. */
export async function pauseQueue(on: Queryable, queue: string): Promise<{ wasPaused: boolean }> {
  const wasPaused = (await findPauses(on)).get(withoutPadding(queue)) !== undefined;
  await change(on, 'pause_queue', { queue });
  return { wasPaused };
}

/** Runs may claim from the queue again. The answer: whether it was paused before. */
export async function resumeQueue(on: Queryable, queue: string): Promise<{ wasPaused: boolean }> {
  return { wasPaused: (await change(on, 'resume_queue', { queue })) > 0 };
}

/** The paused queues, and since when. */
export async function findPauses(on: Queryable): Promise<Map<string, Date>> {
  const rows = await select<{ queue: string; pausedAt: Date | null }>(on, 'find_queue_pauses');
  return new Map(rows.flatMap(({ queue, pausedAt }) => (pausedAt === null ? [] : [[withoutPadding(queue), pausedAt]])));
}
