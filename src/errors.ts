import { type Duration, parseDuration } from './duration';
import { harmless } from './harmless';

/** Exit codes of the command, after sysexits.h. Scripts rely on them. */
export const EXIT = {
  ok: 0,
  /** A job was dead-lettered under `--fail-on-error`, a job of `run --id` did not complete, or `--check` or `doctor` found a fault. */
  failed: 1,
  usage: 64,
  unreachable: 69,
  internal: 70,
  leaseLost: 75,
  config: 78,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** An error whose message says in one line what is wrong and how to mend it. */
export abstract class RowlockError extends Error {
  abstract readonly exitCode: ExitCode;
  override get name(): string {
    return this.constructor.name;
  }
}

/** A setting, a schema or a privilege is wrong. Waiting will not help; somebody must change something. */
export class ConfigError extends RowlockError {
  readonly code: string = 'ROWLOCK_CONFIG';
  readonly exitCode = EXIT.config;
}

/** The command line was wrong. */
export class UsageError extends RowlockError {
  readonly exitCode = EXIT.usage;
}

/** The server does not answer. Trying later may help. */
export class UnreachableError extends RowlockError {
  readonly code = 'ROWLOCK_UNREACHABLE';
  readonly exitCode = EXIT.unreachable;
}

/** This run's lease was closed by another run: whatever it still does changes nothing. */
export class LeaseLostError extends RowlockError {
  readonly exitCode = EXIT.leaseLost;
}

/** Another row of this type has the unique_key. Nothing of the batch was inserted. */
export class DuplicateJobError extends RowlockError {
  readonly code = 'ROWLOCK_DUPLICATE_JOB';
  readonly exitCode = EXIT.usage;
}

/** The table cannot hold this job as it is. */
export class UnfitJobError extends RowlockError {
  readonly code = 'ROWLOCK_UNFIT_JOB';
  readonly exitCode = EXIT.usage;
}

/** Something that should not happen, told without a stack. */
export class InternalError extends RowlockError {
  readonly exitCode = EXIT.internal;
}

/** What the command exits with when this was thrown. */
export const exitCodeOf = (error: unknown): ExitCode =>
  error instanceof RowlockError ? error.exitCode : EXIT.internal;

/** What is told of it: the message, with its mend, where it is of Rowlock's own. */
export const sentenceOf = (error: unknown): string =>
  error instanceof RowlockError ? error.message : messageOf(error);

const UNRECOVERABLE = 'ROWLOCK_UNRECOVERABLE';
const RETRY_AFTER = 'ROWLOCK_RETRY_AFTER';

/** run_at is a TIMESTAMP, which ends in 2038. */
const LONGEST_DELAY_MS = 365 * 86_400_000;

/** Thrown by a job function when no retry can help: the job fails at once. */
export class UnrecoverableError extends Error {
  readonly code = UNRECOVERABLE;
  override readonly name = 'UnrecoverableError';
}

/** Thrown by a job function that knows when a retry makes sense. It counts as an attempt. */
export class RetryAfterError extends Error {
  readonly code = RETRY_AFTER;
  override readonly name = 'RetryAfterError';
  /** Milliseconds from now until the next attempt may start. */
  readonly delayMs: number;

  /** @param delay from now until the next attempt may start: milliseconds, or words such as `'10m'` */
  constructor(delay: number | Duration, message = `retry after ${delay}`, options?: ErrorOptions) {
    super(message, options);
    const delayMs = typeof delay === 'number' ? delay : parseDuration(delay);
    if (delayMs === undefined || !isDelay(delayMs)) {
      throw new TypeError(
        `RetryAfterError: ${String(delay)} is no delay; give milliseconds or words such as '10m', at most a year`,
      );
    }
    this.delayMs = delayMs;
  }
}

// By code, not by instanceof: a job module may have loaded its own copy of this package.
export const isUnrecoverable = (error: unknown): boolean => codeOf(error) === UNRECOVERABLE;

export const isRetryAfter = (error: unknown): error is RetryAfterError =>
  codeOf(error) === RETRY_AFTER && isDelay((error as { delayMs?: unknown }).delayMs);

const isDelay = (given: unknown): boolean => typeof given === 'number' && given >= 0 && given <= LONGEST_DELAY_MS;

/** The `code` of an error as Node and mysql2 set it (`ECONNREFUSED`, `ER_DUP_ENTRY`), or undefined. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

const LONGEST_MESSAGE = 2_000;

/**
 * What was thrown, in at most 2,000 characters: functions throw strings, null, errors with a
 * cycle and messages of 10 MB, and a lone surrogate in one is refused by the server.
 */
export function messageOf(thrown: unknown): string {
  const text = describe(thrown)
    .slice(0, LONGEST_MESSAGE * 2)
    .toWellFormed()
    .replaceAll('\0', '\uFFFD');
  return text.length <= LONGEST_MESSAGE ? text : `${text.slice(0, LONGEST_MESSAGE - 1)}…`.toWellFormed();
}

/**
 * A text on one line, as whoever prints it takes each line for a fact of its own; and without what commands a terminal.
 *
 * @param longest characters; what is longer is cut and ends with `…`. @default no limit
 */
export function oneLine(text: string, longest = Number.POSITIVE_INFINITY): string {
  const line = harmless(text.replaceAll(/\s*[\n\r]\s*/g, ' ')).trim();
  return line.length <= longest ? line : `${line.slice(0, longest - 1)}…`.toWellFormed();
}

function describe(thrown: unknown): string {
  try {
    if (thrown instanceof Error || (typeof thrown === 'object' && thrown !== null && 'message' in thrown)) {
      const { name, message, code } = thrown as { name?: unknown; message?: unknown; code?: unknown };
      const said = String(message) || (typeof code === 'string' ? code : '') || String(name);
      // A refused connection to localhost is an AggregateError with an empty message.
      return name === undefined || name === 'Error' || name === 'AggregateError' ? said : `${String(name)}: ${said}`;
    }
    if (typeof thrown === 'object' && thrown !== null) return JSON.stringify(thrown);
    return String(thrown);
  } catch {
    return `a thrown ${typeof thrown} that cannot be put into words`;
  }
}
