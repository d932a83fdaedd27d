import type { Settings } from '../config';
import { EXIT, type ExitCode } from '../errors';
import { resumeQueue } from '../queue/pause';
import { sayName } from '../words';
import { warnOfEmptyQueue } from './pause';
import { print, toJsonLine } from './print';
import { withQueue } from './session';

/** `rowlock resume QUEUE [--json]`. */
export function resumeCommand(
  settings: Settings,
  queue: string,
  { json = false }: { json?: boolean },
): Promise<ExitCode> {
  return withQueue(settings, async (pool) => {
    const name = sayName(queue);
    const { wasPaused } = await resumeQueue(pool, queue);
    if (json) print(toJsonLine({ queue, paused: false, was_paused: wasPaused }));
    else
      print(
        wasPaused ? `queue ${name} is resumed; its jobs are claimed by the next run` : `queue ${name} was not paused`,
      );
    if (!wasPaused) await warnOfEmptyQueue(pool, queue);
    return EXIT.ok;
  });
}
