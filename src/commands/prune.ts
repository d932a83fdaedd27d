import type { Settings } from '../config';
import { EXIT, type ExitCode, UsageError } from '../errors';
import { type Pruned, prune } from '../queue/prune';
import { age, Wrong } from '../shapes';
import { print, toJsonLine, warn } from './print';
import { withQueue } from './session';

export interface PruneCommandOptions {
  olderThan?: string;
  failedOlderThan?: string;
  dryRun?: boolean;
  json?: boolean;
}

/** `rowlock prune --older-than 14d [--failed-older-than 90d] [--dry-run] [--json]`; without an age that of ROWLOCK_PRUNE. */
export async function pruneCommand(
  settings: Settings,
  { olderThan, failedOlderThan, dryRun = false, json = false }: PruneCommandOptions,
): Promise<ExitCode> {
  const ageMs = readAge('--older-than', olderThan) ?? settings.pruneMs;
  const failedAgeMs = readAge('--failed-older-than', failedOlderThan);
  if (ageMs === undefined)
    throw new UsageError('say what is old enough to be deleted with --older-than 14d, or set ROWLOCK_PRUNE');
  return withQueue(settings, async (pool) => {
    const pruned = await prune(pool, { ageMs, failedAgeMs, dryRun });
    print(json ? toJsonLine(toPlain(pruned, dryRun)) : sayPruned(pruned, dryRun));
    for (const left of json ? [] : listLeft(pruned)) warn(left);
    return EXIT.ok;
  });
}

function readAge(option: string, words: string | undefined): number | undefined {
  if (words === undefined) return undefined;
  const ms = age(words);
  if (ms instanceof Wrong) throw new UsageError(`${option} "${words}" ${ms.why}`);
  return ms;
}

function sayPruned({ completed, failed, runs, orphanedErrors }: Pruned, dryRun: boolean): string {
  const parts = [sayNumber(completed, 'completed job'), sayNumber(failed, 'failed job'), sayNumber(runs, 'run')];
  if (orphanedErrors > 0) parts.push(`${sayNumber(orphanedErrors, 'error')} of jobs that are gone`);
  return `${dryRun ? 'would prune' : 'pruned'} ${parts.join(', ')}`;
}

/** What is old and stays, with what can be done about it. */
function listLeft({ kept, keptBy, undated, locked }: Pruned): string[] {
  const are = (jobs: number): string => `${sayNumber(jobs, 'job')} ${jobs === 1 ? 'is' : 'are'}`;
  const left: string[] = [];
  if (kept > 0) {
    const by = keptBy.length === 0 ? '' : ` (${keptBy.join(', ')})`;
    left.push(`${are(kept)} kept, as other tables' rows refer to ${kept === 1 ? 'it' : 'them'}${by}`);
  }
  if (locked > 0) left.push(`${are(locked)} left to the next prune, as other sessions hold locks on them`);
  if (undated > 0) {
    const it = undated === 1 ? 'it' : 'they';
    left.push(
      `${are(undated)} kept, as an older script has not written down when ${it} ended (processed_at is NULL); set that to prune ${undated === 1 ? 'it' : 'them'}`,
    );
  }
  return left;
}

const sayNumber = (count: number, what: string): string =>
  `${count.toLocaleString('en-US')} ${what}${count === 1 ? '' : 's'}`;

const toPlain = (
  { completed, failed, runs, orphanedErrors, kept, keptBy, locked, undated }: Pruned,
  dryRun: boolean,
) => ({
  dry_run: dryRun,
  completed,
  failed,
  runs,
  orphaned_errors: orphanedErrors,
  kept,
  kept_by: keptBy,
  locked,
  undated,
});
