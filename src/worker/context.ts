import type { Pool, PoolConnection } from '../db/pool';
import type { Emit } from '../events';
import { enqueueJobs } from '../queue/enqueue';
import { saveCheckpoint, saveProgress, TakenAwayError } from '../queue/fenced';
import type { Attempt } from './attempt';
import { Completion, type JobContext, type JobId, type JobLog, type NewJob, type Tx, type Write } from './define';
import { GuardedTx } from './guarded-tx';
import { toEnqueue } from './new-job';
import { parseJson, toJson } from './payload';
import type { Registry } from './registry';

/** What an attempt needs of the worker around it. */
export interface Surroundings {
  /** Opened on first use: most jobs of a suspect's process write nothing. */
  pool(): Pool;
  emit: Emit;
  registry: Registry;
  /** True once the run claims nothing more: a save hands the job on. */
  isStopping(): boolean;
}

/** The checkpoint is stored and the run is stopping: the next run goes on from it. */
export class HandedOn extends Error {
  override readonly name = 'HandedOn';
}

const PROGRESS_EVERY_MS = 1_000;

export function createContext(attempt: Attempt, around: Surroundings): JobContext {
  const { job, fence, signal } = attempt;
  let checkpoint = job.checkpoint;
  let saves = job.saves;
  let saving: Promise<void> = Promise.resolve();
  let progressAt = Number.NEGATIVE_INFINITY;
  return {
    job: {
      id: job.id,
      type: job.type,
      queue: job.queue,
      attempt: job.attempts,
      maxAttempts: attempt.maxAttempts,
      createdAt: job.createdAt,
    },
    signal,
    log: createJobLog(attempt, around.emit),
    get checkpoint() {
      return parseJson(checkpoint);
    },
    async save(state: unknown, write?: Write): Promise<void> {
      const text = toJson(state);
      const store = async () => {
        await saveCheckpoint(around.pool(), fence, { checkpoint: text, saves, write: guarded(write) });
        checkpoint = text;
        saves++;
      };
      // One after the other: two at once would look like one whose answer was lost.
      saving = saving.then(store, store);
      await saving;
      if (around.isStopping()) throw new HandedOn('saved; the run is stopping and the next one goes on from here');
    },
    async progress(fraction: number): Promise<void> {
      if (!(fraction >= 0 && fraction <= 1))
        throw new RangeError(`progress is a fraction from 0 to 1, not ${fraction}`);
      const now = performance.now();
      if (now - progressAt < PROGRESS_EVERY_MS) return;
      progressAt = now;
      if (!(await saveProgress(around.pool(), fence, fraction))) throw new TakenAwayError(fence);
    },
    complete: (write, result) => new Completion(write, result),
    async enqueue(jobs: NewJob | NewJob[], tx?: Tx): Promise<JobId[]> {
      const rows = [jobs].flat().map((job) => toEnqueue(job, around.registry));
      return enqueueJobs((tx ?? around.pool()) as Pool, rows);
    },
  };
}

/** The function's own writes on a guarded connection; without any, nothing. */
export function guarded(write: Write | undefined): (tx: PoolConnection) => Promise<void> {
  return async (tx) => {
    if (write === undefined) return;
    const guard = new GuardedTx(tx);
    await write(guard.handle);
    await guard.close();
  };
}

function createJobLog(attempt: Attempt, emit: Emit): JobLog {
  const at = (level: 'debug' | 'info' | 'warn' | 'error') => (message: string, fields?: Record<string, unknown>) =>
    emit('job.log', { ...attempt.facts, level, message, ...(fields && { fields }) });
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
