import type { Health, QueueState } from './queue/health';
import { sayCount, sayDuration, sayName } from './words';

/** Cron fires every minute: two ticks were missed, and the third is late. */
export const NO_RUN_MS = 3 * 60_000;

/** A job that has been due for longer waits for something that does not come by itself. */
export const WAITED_MS = 10 * 60_000;

export interface Verdict {
  ok: boolean;
  /** One line: `OK: last run 12 s ago, 3 due, oldest 8 s, 0 failed today`. */
  line: string;
  /** What is wrong, the gravest first. */
  reasons: string[];
}

/**
 * Whether the queue does its work. Not OK: nobody runs it, or due jobs of a queue wait for ten minutes in
 * which none of that queue was started. A paused queue waits because somebody wants it to; a dead letter
 * is no fault of the queue, and the run that made it has told so.
 */
export function judge(health: Health): Verdict {
  const reasons = [...findMissingRuns(health), ...health.queues.flatMap(findStuck)];
  const summary = sayNumbers(health);
  const ok = reasons.length === 0;
  return { ok, reasons, line: ok ? `OK: ${summary}` : `NOT OK: ${reasons.join('; ')}; ${summary}` };
}

/** Nobody runs it any more. A long run is as good as many: it renews its lease all the time. */
export const isSilent = ({ lastRun, liveRuns }: Health): boolean =>
  (lastRun === undefined || lastRun.agoMs > NO_RUN_MS) && !liveRuns.some(({ alive }) => alive === 1);

/** One of its jobs was started of late. */
export const isServed = ({ newestStartMs }: QueueState): boolean =>
  newestStartMs !== null && newestStartMs <= WAITED_MS;

function findMissingRuns(health: Health): string[] {
  if (health.lastRun === undefined) return ['no run yet, add rowlock run to the crontab'];
  return isSilent(health) ? [`no run for ${sayDuration(health.lastRun.agoMs)}, is cron still running?`] : [];
}

function findStuck(state: QueueState): string[] {
  const { queue, pausedAt, oldestDueMs } = state;
  if (pausedAt !== null || oldestDueMs === null || oldestDueMs <= WAITED_MS || isServed(state)) return [];
  return [`queue ${sayName(queue)} waits for ${sayDuration(oldestDueMs)} and none of its jobs is being started`];
}

function sayNumbers({ lastRun, queues, today }: Health): string {
  const serving = queues.filter(({ pausedAt }) => pausedAt === null);
  const due = serving.reduce((sum, state) => sum + state.due, 0);
  const oldest = Math.max(-1, ...serving.map(({ oldestDueMs }) => oldestDueMs ?? -1));
  return [
    ...(lastRun === undefined ? [] : [`last run ${sayDuration(lastRun.agoMs)} ago`]),
    `${sayCount(due)} due`,
    ...(oldest < 0 ? [] : [`oldest ${sayDuration(oldest)}`]),
    `${sayCount(today.failed)} failed today`,
  ].join(', ');
}
