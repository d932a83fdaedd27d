import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Pool } from '../db/pool';
import { messageOf, oneLine } from '../errors';
import type { Emit } from '../events';
import { CODE_FOLDER } from '../folders';
import { Attempt } from './attempt';
import { execute } from './execute';
import type { JobType } from './job-type';
import type { Registry } from './registry';
import { exitProcess, watchStrays } from './strays';
import type { FromChild, ToChild } from './suspect-messages';

export interface ChildOptions {
  registry: Registry;
  openPool(): Pool;
  graceMs: number;
}

/**
 * Serves a run as the process of one suspect at a time. It holds no lease and settles nothing: it executes,
 * and says how that ended. It ends with its parent, however that ended.
 */
export function serveSuspects({ registry, openPool, graceMs }: ChildOptions): Promise<never> {
  let attempt: Attempt | undefined;
  let stopping = false;
  let pool: Pool | undefined;
  const emit: Emit = (name, facts) => tell({ kind: 'event', name, facts });
  const around = { pool: () => (pool ??= openPool()), emit, registry, isStopping: () => stopping };

  const run = async (started: Attempt, type: JobType) => {
    attempt = started;
    const execution = await execute(started, type, around, graceMs);
    attempt = undefined;
    tell({ kind: 'ended', execution });
  };

  process.on('message', (message: ToChild) => {
    if (message.kind === 'stopping') stopping = true;
    if (message.kind === 'abort') attempt?.abort(message.abort, message.why);
    if (message.kind !== 'run') return;
    stopping = message.stopping;
    const type = registry.get(message.job.type);
    tell({ kind: 'begun' });
    if (type !== undefined) void run(new Attempt(message.job, message.runId, type.maxAttempts), type);
    else
      tell({
        kind: 'ended',
        execution: { outcome: { kind: 'released', why: 'type unknown', delayMs: 60_000 }, abandoned: false },
      });
  });
  process.on('disconnect', () => exitProcess(0));
  // Ctrl-C goes to the whole group: the parent decides what becomes of the job.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => undefined);
  process.on('SIGHUP', () => undefined);
  // What comes from no attempt ends the process, and tells on the suspect that it holds.
  watchStrays((error) => {
    process.stderr.write(`rowlock: an error outside of any job: ${oneLine(messageOf(error))}\n`);
    exitProcess(1);
  }, emit);
  // A function that does not yield hears no 'disconnect'.
  new Worker(join(CODE_FOLDER, 'worker', 'orphan-thread.js'), { workerData: process.ppid }).unref();
  return new Promise(() => undefined);
}

function tell(message: FromChild): void {
  if (process.connected) process.send?.(message, undefined, {}, () => undefined);
}
