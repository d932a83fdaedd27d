import type { Settings } from '../config';
import type { Pool } from '../db/pool';
import { EXIT, type ExitCode, UsageError } from '../errors';
import { findNearest } from '../nearest';
import { pauseQueue } from '../queue/pause';
import { findQueues } from '../queue/queues';
import { sayName } from '../words';
import { print, toJsonLine, warn } from './print';
import { withQueue } from './session';

/** No row is in a queue with a longer one. */
const LONGEST_NAME = 255;

/** `rowlock pause QUEUE [--json]`. */
export function pauseCommand(
  settings: Settings,
  queue: string,
  { json = false }: { json?: boolean },
): Promise<ExitCode> {
  const { length } = [...queue];
  if (length > LONGEST_NAME) throw new UsageError(`the queue has ${length} characters; ${LONGEST_NAME} is the most`);
  return withQueue(settings, async (pool) => {
    const name = sayName(queue);
    const { wasPaused } = await pauseQueue(pool, queue);
    if (json) print(toJsonLine({ queue, paused: true, was_paused: wasPaused }));
    else
      print(
        wasPaused
          ? `queue ${name} was paused already`
          : `queue ${name} is paused; running jobs go on, and rowlock resume ${name} ends the pause`,
      );
    await warnOfEmptyQueue(pool, queue);
    return EXIT.ok;
  });
}

/** A queue that nobody has used yet may be paused or resumed, but is more often a slip of the finger. */
export async function warnOfEmptyQueue(pool: Pool, queue: string): Promise<void> {
  const queues = await findQueues(pool);
  if (queues.has(queue)) return;
  const nearest = findNearest(queue, queues);
  warn(`no job is in queue ${sayName(queue)}${nearest === undefined ? '' : `; did you mean ${sayName(nearest)}?`}`);
}
