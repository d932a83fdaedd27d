import { isTransient } from '../db/faults';
import type { Pool, PoolConnection } from '../db/pool';
import { messageOf } from '../errors';
import type { Emit } from '../events';
import { enqueueJobs } from '../queue/enqueue';
import { saveCheckpoint, saveProgress, TakenAwayError } from '../queue/fenced';
import type { Fence } from '../queue/job';
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

/** Another save would be taken for the one that got no answer, and what it writes would be lost. */
const UNSURE = 'an earlier save got no answer and may be stored; end this attempt, and the next one goes on from there';

const PROGRESS_EVERY_MS = 1_000;

/**
 * What writes, and the log, are made when they are asked for: most functions ask for little. All of it is members of the
 * object itself, so that `{ ...ctx, mailer }` has it, too: getters cost 1.6 µs a job, those of a class next to nothing.
 */
export function createContext(attempt: Attempt, around: Surroundings): JobContext {
  const { id, type, queue, attempts, createdAt } = attempt.job;
  let log: JobLog | undefined;
  let writes: Writes | undefined;
  const write = (): Writes => {
    writes ??= createWrites(attempt, around);
    return writes;
  };
  return {
    job: { id, type, queue, attempt: attempts, maxAttempts: attempt.maxAttempts, createdAt },
    get signal() {
      return attempt.signal;
    },
    get log() {
      log ??= createJobLog(attempt, around.emit);
      return log;
    },
    get checkpoint() {
      return write().checkpoint();
    },
    save: (state: unknown, own?: Write) => write().save(state, own),
    progress: (fraction) => write().progress(fraction),
    complete,
    enqueue: (jobs, tx) => write().enqueue(jobs, tx),
  };
}

const complete: JobContext['complete'] = (write, result) => new Completion(write, result);

interface Writes extends Pick<JobContext, 'save' | 'progress' | 'enqueue'> {
  checkpoint(): unknown;
}

function createWrites(attempt: Attempt, around: Surroundings): Writes {
  const { job, fence } = attempt;
  let checkpoint = job.checkpoint;
  let saves = job.saves;
  let saving: Promise<void> = Promise.resolve();
  let unsure: unknown;
  let progressAt = Number.NEGATIVE_INFINITY;
  return {
    checkpoint: () => parseJson(checkpoint),
    async save(state: unknown, write?: Write): Promise<void> {
      let text = typeof state === 'function' ? '' : toJson(state);
      const ownWrites = guarded(write);
      const writeBoth = async (tx: PoolConnection) => {
        const written = await ownWrites(tx);
        if (typeof state === 'function') text = toJson(state(written));
        return text;
      };
      const store = async () => {
        if (unsure !== undefined) throw new Error(UNSURE, { cause: unsure });
        try {
          await saveCheckpoint(around.pool(), fence, { saves, write: writeBoth }, attempt.abandoned);
        } catch (error) {
          if (isTransient(error)) unsure = error;
          throw error;
        }
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
      await storeProgress(around.pool(), fence, fraction);
    },
    async enqueue(jobs: NewJob | NewJob[], tx?: Tx): Promise<JobId[]> {
      const rows = [jobs].flat().map((job) => toEnqueue(job, around.registry));
      return enqueueJobs((tx ?? around.pool()) as Pool, rows);
    },
  };
}

/** The function's own writes on a guarded connection, with their answer; without any, nothing. */
export function guarded(write: Write | undefined): (tx: PoolConnection) => Promise<unknown> {
  return async (tx) => {
    if (write === undefined) return undefined;
    const guard = new GuardedTx(tx);
    const written = await write(guard.handle);
    await guard.close();
    return written;
  };
}

/** A server that is busy or away loses a reading of the progress, and never the job. */
async function storeProgress(pool: Pool, fence: Fence, fraction: number): Promise<void> {
  try {
    if (!(await saveProgress(pool, fence, fraction))) throw new TakenAwayError(fence);
  } catch (error) {
    if (!isTransient(error)) throw error;
  }
}

/** What a function logs is its own affair: no value in it may fail the job, or the way to the log. */
function toPlain(fields: Record<string, unknown>): Record<string, unknown> {
  try {
    return JSON.parse(
      JSON.stringify(fields, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)),
    );
  } catch (error) {
    return { unprintable: messageOf(error) };
  }
}

function createJobLog(attempt: Attempt, emit: Emit): JobLog {
  const at = (level: 'debug' | 'info' | 'warn' | 'error') => (message: string, fields?: Record<string, unknown>) =>
    emit('job.log', { ...attempt.facts, level, message: String(message), ...(fields && { fields: toPlain(fields) }) });
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
