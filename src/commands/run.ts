import { join } from 'node:path';
import { requireDatabase, type Settings } from '../config';
import { EXIT, type ExitCode, UsageError } from '../errors';
import { createLog } from '../logger';
import type { JobId } from '../queue/job';
import type { Registry } from '../worker/registry';
import { runOnce } from '../worker/run';
import { childArguments } from './child';
import { showDue } from './dry-run';
import { closeRegistry, loadRegistry } from './job-types';
import { findNearest } from './nearest';

export interface RunCommandOptions {
  ids?: readonly JobId[] | undefined;
  dryRun?: boolean | undefined;
  failOnError?: boolean | undefined;
  /** With dryRun. */
  json?: boolean | undefined;
}

/** `rowlock run`: one run, as cron starts it. */
export async function runCommand(settings: Settings, options: RunCommandOptions): Promise<ExitCode> {
  if (options.json === true && options.dryRun !== true)
    throw new UsageError('--json goes with --dry-run; LOG_LEVEL=info tells of a run in JSON lines');
  const database = requireDatabase(settings);
  const registry = await loadRegistry(settings);
  requireTypes(settings.run.type, registry);
  if (options.dryRun === true) {
    await showDue(database, settings.run, registry, options.json === true);
    return EXIT.ok;
  }
  const log = createLog({ level: settings.logLevel, file: settings.logFile });
  try {
    return await runOnce({
      database,
      settings: settings.run,
      registry,
      emit: log.emit,
      pruneMs: settings.pruneMs,
      childEntry: [join(__dirname, '..', 'cli.js'), ...childArguments(settings)],
      ...(options.ids !== undefined && options.ids.length > 0 && { ids: options.ids }),
      ...(options.failOnError !== undefined && { failOnError: options.failOnError }),
    });
  } finally {
    await closeRegistry(registry, log.emit);
    await log.close();
  }
}

/** A run that is to take only a type that it does not know would do nothing, every minute, without a word. */
function requireTypes(wanted: readonly string[], registry: Registry): void {
  const unknown = wanted.find((type) => registry.get(type) === undefined);
  if (unknown === undefined) return;
  const names = registry.types().map(({ type }) => type);
  const meant = findNearest(unknown, names);
  const mend = meant === undefined ? `known are ${names.join(', ') || 'none; see --jobs'}` : `did you mean ${meant}?`;
  throw new UsageError(`--type ${unknown}: no job function here has this type; ${mend}`);
}
