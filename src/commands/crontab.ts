import { accessSync, constants, existsSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import type { Overrides, Settings } from '../config';
import { requirePrivileges } from '../doctor/privileges';
import { ConfigError, EXIT, type ExitCode } from '../errors';
import { loadRegistry } from '../jobs/load-registry';
import type { JobType } from '../worker/registry';
import { toCronCommand, toShellCommand } from './crontab/cron-line';
import { CRON_PATH, tryAsCron } from './crontab/cron-trial';
import { findDifference } from './crontab/env-file-difference';
import { findSteadyNode, namesVersion } from './crontab/steady-path';
import { printExactly, warn } from './print';
import { toArguments } from './run-arguments';
import { withQueue } from './session';

export interface CrontabOptions {
  /** As given; without it `.env` in the working directory. */
  envFile?: string | undefined;
  /** Options of `run` that the line is to have. */
  overrides: Overrides;
  failOnError?: boolean | undefined;
}

/**
 * `rowlock crontab [RUN-OPTION…]`: the line for this machine, and nothing else, on stdout. It is printed only
 * when it has run, with `--dry-run`, as cron would start it: what is printed goes into a crontab unseen.
 */
export async function crontabCommand(settings: Settings, options: CrontabOptions): Promise<ExitCode> {
  const envFile = requireEnvFile(options.envFile);
  const { differs, relativePaths } = findDifference(envFile, options.overrides);
  if (relativePaths.length > 0) {
    throw new ConfigError(
      `${relativePaths.join(', ')} in ${envFile} ${relativePaths.length === 1 ? 'is a relative path' : 'are relative paths'}, and cron's working directory is another; write absolute ones`,
    );
  }
  const node = findSteadyNode(process.execPath);
  const script = resolve(process.argv[1] ?? '');
  // Without -- Node takes --env-file for its own, also behind the script, and reads the file in its own way.
  const command = toShellCommand([
    node,
    '--',
    script,
    'run',
    '--env-file',
    envFile,
    ...toArguments(options.overrides, options.failOnError),
  ]);
  const line = `* * * * * ${toCronCommand(command)}`;
  await tryAsCron(`${command} --dry-run`);
  // A dry run only reads.
  await withQueue(settings, (pool) => requirePrivileges(pool, settings.pruneMs !== undefined));
  printExactly(line);

  if (differs.length > 0) warn(`cron will not have ${differs.join(', ')} of this shell, but what ${envFile} says`);
  for (const { type, program } of findLostPrograms((await loadRegistry(settings)).types())) {
    warn(`cron's PATH is ${CRON_PATH}, where the program ${program} of ${type} is not; write its absolute path`);
  }
  for (const path of [node, script].filter(namesVersion)) {
    warn(`${path} names a version; print the line anew after an upgrade`);
  }
  if (script.includes('/_npx/'))
    warn(`npx keeps ${script} for a while only; npm install rowlock, and print the line anew`);
  if (process.stderr.isTTY) warn('tried as cron would start it; to add it: (crontab -l; rowlock crontab) | crontab -');
  return EXIT.ok;
}

function requireEnvFile(given: string | undefined): string {
  const path = resolve(given ?? '.env');
  if (given !== undefined || existsSync(path)) return path;
  throw new ConfigError(
    'cron has none of the settings in this environment; write DATABASE_URL=… and the others into a file that only you can read, and name it with --env-file PATH',
  );
}

/** Programs of command types that the shell's PATH finds and cron's does not. */
function findLostPrograms(types: readonly JobType[]): { type: string; program: string }[] {
  return types.flatMap((type) => {
    if (type.kind !== 'command') return [];
    const [program] = type.definition.command;
    const isFound = isAbsolute(program) || CRON_PATH.split(':').some((folder) => isExecutable(join(folder, program)));
    return isFound ? [] : [{ type: type.type, program }];
  });
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
