import { type Overrides, requireDatabase, type Settings } from '../config';
import { EXIT, type ExitCode, messageOf, UsageError } from '../errors';
import { loadRegistry } from '../jobs/load-registry';
import { createLog } from '../logger';
import { isTimezone } from '../worker/ticks';
import { toArguments } from './run-arguments';
import { RunStarter } from './run-starter';

export interface ScheduleOptions {
  /** When runs start: five fields, or six with seconds. */
  cron: string;
  /** An IANA name; without it the zone of this machine, as in a crontab. */
  timezone?: string | undefined;
  /** Options of `run`, for each run. */
  overrides: Overrides;
  failOnError?: boolean | undefined;
}

/**
 * `rowlock schedule`: one process that starts a run at each tick, as cron would, until SIGTERM or SIGINT.
 * Then it hands the signal on and waits for the runs that are at work.
 */
export async function scheduleCommand(
  settings: Settings,
  { cron, timezone, overrides, failOnError }: ScheduleOptions,
): Promise<ExitCode> {
  if (timezone !== undefined && !isTimezone(timezone))
    throw new UsageError(`--timezone "${timezone.slice(0, 60)}" is unknown; give one such as UTC or Europe/Berlin`);
  // What every run would refuse is refused now.
  requireDatabase(settings);
  await loadRegistry(settings);
  // A container's log gets JSON lines; a terminal gets sentences, also at this level.
  const level = process.stderr.isTTY ? undefined : 'info';
  const log = createLog({ level: settings.logLevel ?? level, file: settings.logFile });
  const runArguments = toArguments(overrides, failOnError);
  const starter = new RunStarter({ runArguments, maxTimeMs: settings.run.maxTime, level, emit: log.emit });
  const stopTicking = startTicking(cron, timezone, () => starter.tick());
  log.emit('schedule.started', { cron });
  await starter.untilStopped(stopTicking);
  await log.close();
  return EXIT.ok;
}

function startTicking(cron: string, timezone: string | undefined, tick: () => void): () => void {
  const { schedule } = require('node-cron') as typeof import('node-cron');
  try {
    // Its warnings of ticks that came late go nowhere: the next tick does what the late one would have done.
    const options = { ...(timezone !== undefined && { timezone }), suppressMissedWarning: true };
    const tasks = toNodeCron(cron).map((text) => schedule(text, tick, options));
    return () => tasks.forEach((task) => void task.destroy());
  } catch (error) {
    throw new UsageError(`--cron "${cron.slice(0, 60)}": ${messageOf(error)}; give one such as "* * * * *"`, {
      cause: error,
    });
  }
}

/**
 * A cron text as node-cron has to be told it. With both days restricted a crontab wants either of them and
 * node-cron both, so it is told of each alone; a tick on which both fall comes twice at once, and the
 * second finds a run at work.
 */
export function toNodeCron(text: string): string[] {
  const fields = text.trim().split(/\s+/);
  const [day = '', month = '', weekday = ''] = fields.slice(-3);
  if (fields.length < 5 || [day, weekday].some((field) => /^[*?]/.test(field))) return [fields.join(' ')];
  const time = fields.slice(0, -3);
  return [[...time, day, month, '*'].join(' '), [...time, '*', month, weekday].join(' ')];
}
