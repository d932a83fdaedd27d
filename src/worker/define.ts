import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { Connection } from 'mysql2/promise';
import type { Duration } from '../duration';
import type { JobId } from '../queue/job';

export type { JobId };

/** The job that a function was called for. */
export interface JobInfo {
  /** The row's id: a number, or a string where a double cannot hold it. */
  readonly id: JobId;
  readonly type: string;
  readonly queue: string;
  /** 1 for the first attempt. */
  readonly attempt: number;
  /** The attempt after which a failure is final. */
  readonly maxAttempts: number;
  /** When the row was inserted, by the database's clock. */
  readonly createdAt: Date;
}

/** Tells what a job does, in the log of its run. */
export interface JobLog {
  debug(message: string, fields?: Record<string, unknown>): void;
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
}

/**
 * A connection inside Rowlock's transaction. It refuses COMMIT, ROLLBACK and DDL, and after a lock
 * conflict every further statement, so that a swallowed error cannot commit half.
 */
export type Tx = Pick<Connection, 'query' | 'execute'>;

/** The caller's own writes. It may run again, after a deadlock or a lost connection: its first run was then undone. */
export type Write = (tx: Tx) => Promise<unknown>;

/** A job to enqueue; what is left out has the default of its job type, or of the table. */
export interface NewJob {
  /** What stands in the column job_type, at most 255 characters. */
  type: string;
  /** Any JSON; a BigInt is stored as a number. Left out: NULL. */
  payload?: unknown;
  /** At most 255 characters. @default the type's, or 'default' */
  queue?: string;
  /** From -32768 to 32767; within a queue the lower number runs sooner. @default the type's, or 0 */
  priority?: number;
  /** Not before this time, which is before 2038-01-19. @default now, by the database's clock */
  runAt?: Date;
  /** Not before this long from now, by the database's clock, or after `runAt`. @default '0' */
  delay?: Duration;
  /** Refused by the database while another row of this type has it. At most 255 characters. @default none */
  uniqueKey?: string;
  /** Attempts before a failure is final; 0 counts as 1. @default the type's */
  maxAttempts?: number;
}

/** What {@link JobContext.complete} hands back, to be returned by the function. */
export class Completion {
  readonly write: Write;
  readonly result: unknown;
  constructor(write: Write, result: unknown) {
    this.write = write;
    this.result = result;
  }
}

/** What a job function gets beside its payload. */
export interface JobContext {
  readonly job: JobInfo;
  /** Aborts on timeout, cancellation, a lost lease, or when the run must end. Its reason says why, in words. */
  readonly signal: AbortSignal;
  /** Tells what the job does, in the log of its run. */
  readonly log: JobLog;
  /** What was saved last, by this attempt or an earlier one; null if nothing was. */
  readonly checkpoint: unknown;
  /**
   * Stores `state` as the checkpoint, together with the caller's writes, in one transaction that
   * holds only while this attempt still owns the job. When the run is stopping it stores, then throws:
   * let the error pass, and the next run goes on from here with no attempt charged.
   *
   * What depends on what was written, such as a count of rows, is given as a function: it is called with what `write`
   * answered, in the same transaction, and again when `write` runs again.
   *
   * @throws if the job was taken away (its lease was lost, or its row deleted); nothing of `write` stays
   */
  save<Written>(state: (written: Written) => unknown, write: (tx: Tx) => Promise<Written>): Promise<void>;
  save(state: unknown, write?: Write): Promise<void>;
  /** Stores how far the job is, 0 to 1. Writes at most once a second. @throws RangeError for another number */
  progress(fraction: number): Promise<void>;
  /**
   * `return ctx.complete(write)` commits the caller's writes and the job's completion together: they
   * happen exactly once. `result` is stored as the job's result.
   */
  complete(write: Write, result?: unknown): Completion;
  /**
   * Enqueues more jobs; inside the caller's transaction when its `tx` is given. Returns their ids in order.
   *
   * @throws DuplicateJobError, UnfitJobError as `queue.enqueue` does
   */
  enqueue(jobs: NewJob | NewJob[], tx?: Tx): Promise<JobId[]>;
}

interface Options {
  /** What stands in the column job_type, at most 255 characters. */
  type: string;
  /** After this the attempt is aborted. @default '1h' */
  timeout?: Duration;
  /** Attempts before a failure is final. 1 means at most once. @default 8 */
  maxAttempts?: number;
  /**
   * Pause before each retry; the last entry repeats.
   * @default 30s, tripled each time, at most 6h, with a random 0.8 to 1.2 of it
   */
  backoff?: readonly Duration[];
  /** Queue of the jobs that Rowlock itself enqueues for this type. @default 'default' */
  queue?: string;
  /** Priority of the jobs that Rowlock itself enqueues for this type. @default 0 */
  priority?: number;
  /**
   * How long a unique_key holds: `kept` until the row is deleted, `active` until the job has ended.
   * @default 'kept'
   */
  unique?: 'kept' | 'active';
  /** Enqueues one job at each tick of a cron text. */
  schedule?: { cron: string; timezone?: string; payload?: unknown };
}

/**
 * A job type whose jobs are run by a function of this process.
 *
 * `Payload` is what the schema makes of a payload, and the function gets; `Input` what the schema takes, and stands
 * in the row.
 */
export interface FunctionJob<Payload = unknown, Type extends string = string, Input = unknown> extends Options {
  type: Type;
  /** Any Standard Schema (zod, valibot, arktype …). Without it the function gets whatever JSON the row holds. */
  payload?: StandardSchemaV1<Input, Payload>;
  /**
   * Does one attempt at a job. What it returns becomes the job's result, as JSON; what it throws is retried, but for
   * an `UnrecoverableError`.
   */
  run(payload: Payload, context: JobContext): unknown;
  /** Called once when the worker ends, to close what the function keeps open. */
  close?(): unknown;
}

/** A job type whose jobs are run by a program. */
export interface CommandJob<Type extends string = string> extends Options {
  type: Type;
  /** The program and its arguments. The payload comes on its standard input, never in an argument. */
  command: readonly [string, ...string[]];
}

/** A job type of either kind, as a module of `--jobs` lists them. */
export type JobDefinition = FunctionJob | CommandJob;

/**
 * Gives a job function the type of its payload, and `createQueue` that of what may be enqueued. The definition is
 * handed back as it is: it is checked when a run, or a queue, takes it.
 */
export function defineJob<Payload = unknown, const Type extends string = string, Input = unknown>(
  definition: FunctionJob<Payload, Type, Input>,
): FunctionJob<Payload, Type, Input> {
  return definition;
}
