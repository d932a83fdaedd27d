import type { Settings } from '../config';
import { EXIT, type ExitCode, UsageError } from '../errors';
import { loadRegistry } from '../jobs/load-registry';
import { findDeadLetters, type Revival, reviveJobs } from '../queue/retry';
import { sayName } from '../words';
import type { Registry } from '../worker/registry';
import { parseIds } from './ids';
import { exactId, print, toJsonLine, warn } from './print';
import { withQueue } from './session';

export interface RetryOptions {
  failed?: boolean;
  type?: string;
  json?: boolean;
}

/** `rowlock retry ID… [--json]`, or `--failed [--type TYPE]`: exit 1 if one of the ids could not be revived. */
export async function retryCommand(
  settings: Settings,
  words: string[],
  { failed = false, type, json = false }: RetryOptions,
): Promise<ExitCode> {
  if (failed === words.length > 0)
    throw new UsageError('give the ids of the jobs to retry, or --failed for all that have failed');
  if (type !== undefined && !failed) throw new UsageError('--type goes with --failed; ids name their jobs themselves');
  const ids = parseIds(words);
  const known = await loadRegistry(settings);
  return withQueue(settings, async (pool) => {
    const revivals = await reviveJobs(pool, failed ? await findDeadLetters(pool, type) : ids);
    if (json) print(toJsonLine(revivals.map((revival) => toPlain(revival, known))));
    else if (failed) tellAll(revivals, known);
    else for (const revival of revivals) tellOne(revival, known);
    // A dead letter that somebody else revived or deleted meanwhile is no fault.
    return failed || revivals.every(({ how }) => how === 'revived') ? EXIT.ok : EXIT.failed;
  });
}

function toPlain(revival: Revival, known: Registry) {
  const { id, how } = revival;
  if (how === 'unknown') return { id: exactId(id), outcome: how };
  const { type, status } = revival.job;
  const freed = how === 'revived' ? { unique_key_freed: lostItsKey(revival, known) } : {};
  return { id: exactId(id), job_type: type, outcome: how, status_before: status, ...freed };
}

function tellAll(revivals: Revival[], known: Registry): void {
  const revived = revivals.filter(({ how }) => how === 'revived');
  print(`${revived.length} failed ${revived.length === 1 ? 'job is' : 'jobs are'} pending again`);
  const freed = revived.filter((revival) => lostItsKey(revival, known)).length;
  if (freed > 0) print(`${freed} of them have no unique_key any more: their type frees it when a job ends`);
}

function tellOne(revival: Revival, known: Registry): void {
  const { id, how } = revival;
  if (how === 'unknown') warn(`there is no job ${id}`);
  else if (how === 'left') warn(`job ${id} is ${sayState(revival)}`);
  else {
    const key = lostItsKey(revival, known) ? '; its unique_key was freed when it ended, and stays free' : '';
    print(`job ${id} (${sayName(revival.job.type)}) is pending again${key}`);
  }
}

function sayState({ job }: Extract<Revival, { how: 'left' }>): string {
  if (job.status === 'pending') return `pending already, to run at ${job.runAt.toJSON() ?? 'no time (0000-00-00)'}`;
  if (job.status === 'running') return `running; cancel it first`;
  return `${job.status}, and only failed jobs are retried; enqueue a new one`;
}

/** Nobody can tell a key that was freed from one that never was, but the type says which is likely. */
const lostItsKey = (revival: Revival, known: Registry): boolean =>
  revival.how === 'revived' && revival.job.uniqueKey === null && known.freesKey(revival.job.type);
