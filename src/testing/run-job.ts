import { type Duration, parseDuration } from '../duration';
import type { Emit, Events } from '../events';
import type { ClaimedJob, JobId } from '../queue/job';
import { type AbortKind, Attempt } from '../worker/attempt';
import type { CommandJob, FunctionJob, JobContext, JobDefinition } from '../worker/define';
import { type Execution, execute } from '../worker/execute';
import { parseJson, toJson } from '../worker/payload';
import { createRegistry, type JobType } from '../worker/registry';
import { type RecordedJob, Recorder, type TestTx } from './recorder';

/** The attempt that is to be made. */
export interface RunJobOptions {
  /** Its number; 1 for the first. @default 1 */
  attempt?: number;
  /** As if the row had this max_attempts. @default the type's */
  maxAttempts?: number;
  /** What an earlier attempt has saved; must be JSON. @default null, as if none had */
  checkpoint?: unknown;
  /**
   * The run is stopping: the next `ctx.save` stores, then throws, and the job is released. A function is asked after
   * each save. @default false
   */
  stopping?: boolean | (() => boolean);
  /** Aborts the attempt when it aborts. */
  signal?: AbortSignal;
  /** Why, then: `stopping`, the run must end; `cancelled`; `timeout`; `lost`, its lease. @default 'stopping' */
  abortAs?: 'stopping' | 'cancelled' | 'timeout' | 'lost';
  /** How long a function may go on after its abort before its attempt is over without it. @default '25s' */
  grace?: Duration;
  /**
   * Gets the statements of `ctx.save(state, write)` and `ctx.complete(write)`, as they are: a mysql2 connection, or a
   * stand-in that records them. Rowlock itself sends nothing to it, so nothing is committed or undone there.
   * @default none: such a statement is an error
   */
  tx?: TestTx;
  /** Types that `ctx.enqueue` takes queue and priority from. @default none but the job's own */
  jobs?: readonly JobDefinition[];
  /** The row's id. @default 1 */
  id?: JobId;
  /** @default the type's */
  queue?: string;
  /** @default now */
  createdAt?: Date;
}

/** What the attempt came to, and what it did meanwhile. */
export interface JobRun {
  /**
   * As a worker would have written it: `retry`, pending again after `delayMs`; `failed`, a dead letter, or cancelled;
   * `released`, given back with no attempt charged; `lost`, nothing is written, as the job is somebody else's.
   */
  outcome: 'completed' | 'retry' | 'failed' | 'released' | 'lost';
  /** What the row has as its result; null: nothing, or nothing that can be stored. */
  result: unknown;
  /** Why a result that was returned is not stored. */
  resultDropped?: string;
  /** Completed by `ctx.complete`, together with the function's own writes. */
  committed: boolean;
  /** What becomes last_error (`retry`, `failed`), or why it was `released` or `lost`. */
  error?: string;
  /** Milliseconds until it is due again (`retry`, `released`). */
  delayMs?: number;
  /** The function went on after its abort, past the grace. */
  abandoned: boolean;
  /** What `ctx.save` stored, the newest last; `checkpoint` is the newest, or the one it began with. */
  saves: unknown[];
  checkpoint: unknown;
  /** What `ctx.progress` was called with; a worker writes one of them a second. */
  progress: number[];
  /** What `ctx.enqueue` inserted. */
  enqueued: RecordedJob[];
  /** What `ctx.log` was told. */
  logs: { level: 'debug' | 'info' | 'warn' | 'error'; message: string; fields?: Record<string, unknown> }[];
}

const GRACE_MS = 25_000;

/**
 * Makes one attempt at a job as a worker does, with no worker and no database: the payload goes through JSON and the
 * type's schema, the function gets a `ctx` that records, and the worker's own code decides how it ended. A command
 * type starts its program. Resolves also where the job fails.
 *
 * ```ts
 * const { outcome, result } = await runJob(emailSend, { to: 'ann@example.com' });
 * ```
 *
 * @throws ConfigError for a definition with faults, RangeError for a grace that is no duration
 */
export async function runJob<Payload, Type extends string, Input>(
  definition: FunctionJob<Payload, Type, Input> | CommandJob<Type>,
  payload: Input,
  options: RunJobOptions = {},
): Promise<JobRun> {
  const known = createRegistry([definition as JobDefinition, ...(options.jobs ?? [])]);
  const progress: number[] = [];
  const type = watchProgress(known.get(definition.type) as JobType, progress);
  const attempt = new Attempt(toClaimed(type, payload, options), 1, type.maxAttempts);
  const recorder = new Recorder(options.tx, new Date());
  const logs: JobRun['logs'] = [];
  const emit: Emit = (name, facts) => {
    if (name !== 'job.log') return;
    const { level, message, fields } = facts as Events['job.log'];
    logs.push({ level, message, ...(fields && { fields }) });
  };
  const { stopping = false } = options;
  const around = {
    pool: () => recorder.pool,
    emit,
    registry: known,
    isStopping: () => (typeof stopping === 'function' ? stopping() : stopping),
  };
  const ignore = followSignal(attempt, options);
  const execution = await execute(attempt, type, around, readGrace(options.grace));
  ignore();
  const { saves, enqueued, result } = recorder.written;
  return {
    ...toOutcome(execution, result),
    saves,
    checkpoint: saves.length > 0 ? saves.at(-1) : (options.checkpoint ?? null),
    progress,
    enqueued,
    logs,
  };
}

function toClaimed(type: JobType, payload: unknown, options: RunJobOptions): ClaimedJob {
  const { attempt = 1, maxAttempts = null, checkpoint, id = 1, queue = type.queue, createdAt = new Date() } = options;
  return {
    id,
    type: type.type,
    payload: payload === undefined ? null : toJson(payload),
    queue,
    priority: type.priority,
    runAt: createdAt,
    createdAt,
    maxAttempts,
    attempts: attempt,
    crashes: 0,
    checkpoint: checkpoint === undefined ? null : toJson(checkpoint),
    saves: 0,
    lastPauseMs: null,
  };
}

/** Every call is told, also those that `ctx` writes nothing for. */
function watchProgress(type: JobType, told: number[]): JobType {
  if (type.kind === 'command') return type;
  const { definition } = type;
  const run = (payload: unknown, context: JobContext): unknown => {
    const progress = async (fraction: number) => {
      await context.progress(fraction);
      told.push(fraction);
    };
    const members = Object.getOwnPropertyDescriptors(context);
    const watched = { ...members, progress: { value: progress, enumerable: true } };
    return definition.run(payload, Object.defineProperties({}, watched) as JobContext);
  };
  return { ...type, definition: Object.assign(Object.create(definition), { run }) };
}

const WORDS: Record<NonNullable<RunJobOptions['abortAs']>, string> = {
  stopping: 'the run was stopped',
  cancelled: 'cancelled',
  timeout: 'timed out',
  lost: 'the lease is lost',
};

function followSignal(attempt: Attempt, { signal, abortAs = 'stopping' }: RunJobOptions): () => void {
  const abort = () => attempt.abort(abortAs satisfies AbortKind, WORDS[abortAs]);
  if (signal?.aborted === true) abort();
  signal?.addEventListener('abort', abort, { once: true });
  return () => signal?.removeEventListener('abort', abort);
}

function readGrace(grace: Duration | undefined): number {
  const ms = grace === undefined ? GRACE_MS : parseDuration(grace);
  if (ms === undefined) throw new RangeError(`grace "${grace}" is no duration such as 100ms or 25s`);
  return ms;
}

function toOutcome(
  { outcome, abandoned, dropped }: Execution,
  committed: string | null | undefined,
): Omit<JobRun, 'saves' | 'checkpoint' | 'progress' | 'enqueued' | 'logs'> {
  const base = { result: null, committed: false, abandoned, ...(dropped !== undefined && { resultDropped: dropped }) };
  switch (outcome.kind) {
    case 'committed':
      return { ...base, outcome: 'completed', committed: true, result: parseJson(committed ?? null) };
    case 'completed':
      return { ...base, outcome: 'completed', result: parseJson(outcome.result) };
    case 'retry':
      return { ...base, outcome: 'retry', error: outcome.error, delayMs: outcome.delayMs };
    case 'failed':
      return { ...base, outcome: 'failed', error: outcome.error };
    case 'released':
      return { ...base, outcome: 'released', error: outcome.why, delayMs: outcome.delayMs };
    case 'lost':
      return { ...base, outcome: 'lost', error: outcome.why };
    case 'crashed':
      throw new Error('an attempt in this process cannot have ended it'); // execute never says so
  }
}
