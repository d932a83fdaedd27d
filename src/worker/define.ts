import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { Connection } from 'mysql2/promise';
import type { Duration } from '../duration';
import type { JobId } from '../queue/job';

export type { JobId };

/** The job that a function was called for. */
export interface JobInfo {
  readonly id: JobId;
  readonly type: string;
  readonly queue: string;
  /** 1 for the first attempt. */
  readonly attempt: number;
  /** The attempt after which a failure is final. */
  readonly maxAttempts: number;
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
  type: string;
  payload?: unknown;
  queue?: string;
  /** Within a queue the lower number runs sooner. */
  priority?: number;
  /** Not before this time. */
  runAt?: Date;
  /** Not before this long from now, by the database's clock. */
  delay?: Duration;
  /** Refused by the database while another row of this type has it. */
  uniqueKey?: string;
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
  /** Aborts on timeout, cancellation, a lost lease, or when the run must end. */
  readonly signal: AbortSignal;
  readonly log: JobLog;
  /** What was saved last, by this attempt or an earlier one; null if nothing was. */
  readonly checkpoint: unknown;
  /**
   * Stores `state` as the checkpoint, together with the caller's writes, in one transaction that
   * holds only while this attempt still owns the job. When the run is stopping it stores, then throws:
   * let the error pass, and the next run goes on from here with no attempt charged.
   */
  save(state: unknown, write?: Write): Promise<void>;
  /** Stores how far the job is, 0 to 1. Writes at most once a second. */
  progress(fraction: number): Promise<void>;
  /**
   * `return ctx.complete(write)` commits the caller's writes and the job's completion together: they
   * happen exactly once. `result` is stored as the job's result.
   */
  complete(write: Write, result?: unknown): Completion;
  /** Enqueues more jobs; inside the caller's transaction when its `tx` is given. Returns their ids in order. */
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

/** A job type whose jobs are run by a function of this process. */
export interface FunctionJob<Payload = unknown> extends Options {
  /** Any Standard Schema (zod, valibot, arktype …). Without it the function gets whatever JSON the row holds. */
  payload?: StandardSchemaV1<unknown, Payload>;
  run(payload: Payload, context: JobContext): unknown;
  /** Called once when the worker ends, to close what the function keeps open. */
  close?(): unknown;
}

/** A job type whose jobs are run by a program. */
export interface CommandJob extends Options {
  /** The program and its arguments. The payload comes on its standard input, never in an argument. */
  command: readonly [string, ...string[]];
}

export type JobDefinition = FunctionJob | CommandJob;

/** Gives a job function the type of its payload. */
export function defineJob<Payload = unknown>(definition: FunctionJob<Payload>): FunctionJob<Payload> {
  return definition;
}
