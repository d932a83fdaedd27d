import type { Schedule } from '../queue/schedules';
import { toEnqueue } from './new-job';
import type { Registry } from './registry';
import { readTicks } from './ticks';

/** What the job types of this worker owe: a job at each tick of their schedule. */
export function listSchedules(registry: Registry): Schedule[] {
  return registry.types().flatMap(({ type, schedule }): Schedule[] => {
    if (schedule === undefined) return [];
    const { cron, timezone, payload } = schedule;
    return [
      {
        type,
        text: `${cron} ${timezone}`,
        newestTick: readTicks(cron, timezone).newest,
        job: toEnqueue({ type, ...(payload !== undefined && { payload }) }, registry),
      },
    ];
  });
}
