import { type Overrides, requireDatabase, type Settings } from '../config';
import { requirePrivileges } from '../doctor/privileges';
import { EXIT, type ExitCode, RowlockError, UsageError } from '../errors';
import type { Emit } from '../events';
import { loadRegistry } from '../jobs/load-registry';
import { createLog } from '../logger';
import { isTimezone } from '../worker/ticks';
import { toArguments } from './run-arguments';
import { RunStarter } from './run-starter';
import { withQueue } from './session';
import { startTicking } from './ticking';

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
  const looking = warnIfNotReady(settings, log.emit);
  await starter.untilStopped(stopTicking);
  await looking;
  await log.close();
  return EXIT.ok;
}

/** What every run would fail with is told at once. It may pass, so the ticks come all the same. */
async function warnIfNotReady(settings: Settings, emit: Emit): Promise<void> {
  try {
    await withQueue(settings, (pool) => requirePrivileges(pool, settings.pruneMs !== undefined));
  } catch (error) {
    if (!(error instanceof RowlockError)) throw error;
    emit('schedule.not_ready', { why: error.message });
  }
}
