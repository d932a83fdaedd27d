import { join } from 'node:path';
import { type ConnectionSettings, requireDatabase, type Settings } from '../config';
import { EXIT, type ExitCode, UsageError } from '../errors';
import type { Emit } from '../events';
import { CODE_FOLDER } from '../folders';
import { closeRegistry, loadRegistry } from '../jobs/load-registry';
import { createLog } from '../logger';
import { findNearest } from '../nearest';
import type { JobId } from '../queue/job';
import type { Registry } from '../worker/registry';
import { runOnce } from '../worker/run';
import { childArguments } from './child';
import { showDue } from './dry-run';

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
  if (options.dryRun === true) return dryRun(settings, options.json === true);
  const log = createLog({ level: settings.logLevel, file: settings.logFile });
  try {
    if (!isWatched(settings, options)) return await work(settings, options, log.emit);
    const { watchRun }: typeof import('../monitor/watch') = require('../monitor/watch');
    return await watchRun(settings, log.emit, (emit) => work(settings, options, emit));
  } finally {
    await log.close();
  }
}

async function dryRun(settings: Settings, json: boolean): Promise<ExitCode> {
  const { database, registry } = await prepare(settings);
  await showDue(database, settings.run, registry, json);
  return EXIT.ok;
}

/** Somebody watches over cron. Jobs that a person names are no sign that it works. */
const isWatched = ({ pingUrl, metricsFile }: Settings, { ids = [] }: RunCommandOptions): boolean =>
  ids.length === 0 && (pingUrl !== undefined || metricsFile !== undefined);

async function work(settings: Settings, options: RunCommandOptions, emit: Emit): Promise<ExitCode> {
  const { database, registry } = await prepare(settings);
  try {
    return await runOnce({
      database,
      settings: settings.run,
      registry,
      emit,
      pruneMs: settings.pruneMs,
      childEntry: [join(CODE_FOLDER, 'cli.js'), ...childArguments(settings)],
      ...(options.ids !== undefined && options.ids.length > 0 && { ids: options.ids }),
      ...(options.failOnError !== undefined && { failOnError: options.failOnError }),
    });
  } finally {
    await closeRegistry(registry, emit);
  }
}

/** What a run cannot do without. */
async function prepare(settings: Settings): Promise<{ database: ConnectionSettings; registry: Registry }> {
  const database = requireDatabase(settings);
  const registry = await loadRegistry(settings);
  requireTypes(settings.run.type, registry);
  return { database, registry };
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
