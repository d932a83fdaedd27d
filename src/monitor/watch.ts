import { type Settings, serverName } from '../config';
import { explain } from '../db/faults';
import { type ExitCode, exitCodeOf, sentenceOf } from '../errors';
import type { Emit } from '../events';
import { Account } from './account';
import { Pings } from './ping';
import type { RunEnd } from './prometheus';

/**
 * Runs, and tells those who watch over cron: the ping URL when it starts, and both that and the metrics file how it
 * ended, whatever way it did. They get at most a few seconds of its time, and never change its exit code.
 */
export async function watchRun(
  settings: Settings,
  emit: Emit,
  run: (emit: Emit) => Promise<ExitCode>,
): Promise<ExitCode> {
  const { pingUrl, metricsFile } = settings;
  const startedAt = new Date();
  const begin = performance.now();
  const account = new Account();
  const pings = pingUrl === undefined ? undefined : new Pings(pingUrl, emit);
  let exitCode: ExitCode;
  let fault: unknown;
  try {
    exitCode = await run(account.listen(emit));
  } catch (error) {
    fault = settings.database === undefined ? error : explain(error, serverName(settings.database));
    exitCode = exitCodeOf(fault);
    account.add(sentenceOf(fault));
  }
  const { counts, body } = account;
  const durationMs = performance.now() - begin;
  await Promise.all([
    pings?.end(exitCode, body),
    writeMetrics(metricsFile, settings, { startedAt, endedAt: new Date(), durationMs, exitCode, counts }, emit),
  ]);
  if (fault !== undefined) throw fault;
  return exitCode;
}

/** Loads prom-client, which takes 40 ms, only where it is needed, and once the host is free for the next run. */
async function writeMetrics(path: string | undefined, ...about: [Settings, RunEnd, Emit]): Promise<void> {
  if (path === undefined) return;
  const { writeMetricsFile }: typeof import('./metrics-file') = require('./metrics-file');
  await writeMetricsFile(path, ...about);
}
