import { join } from 'node:path';
import { requireDatabase, type Settings } from '../config';
import { EXIT, type ExitCode } from '../errors';
import { createLog } from '../logger';
import type { JobId } from '../queue/job';
import { runOnce } from '../worker/run';
import { childArguments } from './child';
import { showDue } from './dry-run';
import { closeRegistry, loadRegistry } from './job-types';

export interface RunCommandOptions {
  ids?: readonly JobId[] | undefined;
  dryRun?: boolean | undefined;
  failOnError?: boolean | undefined;
}

/** `rowlock run`: one run, as cron starts it. */
export async function runCommand(settings: Settings, options: RunCommandOptions): Promise<ExitCode> {
  const database = requireDatabase(settings);
  const registry = await loadRegistry(settings);
  if (options.dryRun === true) {
    await showDue(database, settings.run, registry);
    return EXIT.ok;
  }
  const log = createLog({ level: settings.logLevel, file: settings.logFile });
  try {
    return await runOnce({
      database,
      settings: settings.run,
      registry,
      emit: log.emit,
      childEntry: [join(__dirname, '..', 'cli.js'), ...childArguments(settings)],
      ...(options.ids !== undefined && options.ids.length > 0 && { ids: options.ids }),
      ...(options.failOnError !== undefined && { failOnError: options.failOnError }),
    });
  } finally {
    await closeRegistry(registry, log.emit);
    await log.close();
  }
}
