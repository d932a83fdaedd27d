import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { codeOf, messageOf } from '../errors';
import { clearTimeout, setTimeout } from '../timers';
import { collectError, collectResult, type PrintedResult } from './command-output';
import type { CommandJob, JobId, JobLog } from './define';
import { endGroup, endGroupOnExit, signalGroup } from './process-group';

export interface CommandOptions {
  /** The text of the column, put on standard input as it is; `null` for an SQL NULL. */
  payloadText: string | null;
  jobId: JobId;
  attempt: number;
  /** Aborted: SIGTERM to the program's process group, and SIGKILL to what is left after `killAfterMs`. */
  signal: AbortSignal;
  log: JobLog;
  /** Asked on an abort. @default 10000 */
  killAfterMs?: () => number;
}

/** How a program ended. The caller chooses the pause before a retry, and knows why it aborted. */
export type CommandResult =
  | ({ kind: 'completed' } & PrintedResult)
  | { kind: 'failed'; error: string }
  | { kind: 'retry'; error: string };

const FAILED_FOR_GOOD = 65; // EX_DATAERR of sysexits.h
const KILL_AFTER_MS = 10_000;
/** When the worker itself must go there is no time for more. */
const KILL_SOON_MS = 1_000;
/** A program may take this long to end after its abort, and is not abandoned meanwhile. */
export const PROGRAM_GRACE_MS = KILL_AFTER_MS + 3_000;

/** How long a program gets between SIGTERM and SIGKILL; less when its worker ends. */
export const killAfter = (workerEnds: boolean): number => (workerEnds ? KILL_SOON_MS : KILL_AFTER_MS);

/** What a program printed is in the pipes when it exits; only a process that left its group holds them open longer. */
const DRAIN_MS = 1_000;

/**
 * Runs a program for a job: the payload on its standard input, no shell, a process group of its own. Exit 0
 * completes the job, with the JSON on standard output as its result; 65 fails it; anything else is retried.
 * What it left behind in its group is ended when it has exited. Never rejects.
 */
export async function runCommand(definition: CommandJob, options: CommandOptions): Promise<CommandResult> {
  if (options.signal.aborted) return { kind: 'retry', error: 'aborted before the program was started' };
  const [program, ...args] = definition.command;
  let child: Piped;
  try {
    child = await start(program, args, options);
  } catch (error) {
    return { kind: 'retry', error: sayNotStarted(program, error) };
  }
  options.log.debug('program started', { program, pid: child.pid });
  const printed = collectResult(child.stdout);
  const complained = collectError(child.stderr);
  const exit = await waitForExit(child, options);
  await drain(child);
  if (exit.code === 0) return { kind: 'completed', ...printed() };
  const error = complained() || (exit.signal === null ? `exit code ${exit.code}` : `ended by ${exit.signal}`);
  return { kind: exit.code === FAILED_FOR_GOOD ? 'failed' : 'retry', error };
}

type Piped = ChildProcess & { pid: number; stdin: Writable; stdout: Readable; stderr: Readable };

async function start(program: string, args: string[], options: CommandOptions): Promise<Piped> {
  const { payloadText, jobId, attempt } = options;
  const child = spawn(program, args, {
    detached: true,
    stdio: 'pipe',
    env: { ...process.env, ROWLOCK_JOB_ID: String(jobId), ROWLOCK_ATTEMPT: String(attempt) },
  });
  // A program need not read its input: how it ended is told by its exit code alone.
  child.stdin.on('error', () => child.stdin.destroy());
  await once(child, 'spawn');
  child.stdin.end(payloadText ?? 'null');
  return child as Piped;
}

/** A later deploy may bring the program, so this is retried. */
function sayNotStarted(program: string, error: unknown): string {
  const code = codeOf(error);
  if (code === 'ENOENT') return `the program ${program} is not there; install it, or correct the job type's command`;
  if (code === 'EACCES')
    return `the program ${program} may not be executed; chmod +x it, or name its interpreter first`;
  return `the program ${program} cannot be started: ${messageOf(error)}`;
}

type Exit = { code: number | null; signal: NodeJS.Signals | null };

async function waitForExit(
  child: Piped,
  { signal, log, killAfterMs = () => KILL_AFTER_MS }: CommandOptions,
): Promise<Exit> {
  const { pid } = child;
  const forget = endGroupOnExit(pid);
  let ended: Promise<void> | undefined;
  const abort = () => {
    ended = endGroup(pid, killAfterMs());
  };
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  await new Promise<void>((resolve) => child.once('exit', () => resolve()));
  signal.removeEventListener('abort', abort);
  // On an abort the others of the group have the same time to end as the program had; else they have none.
  if (ended !== undefined) await ended;
  else if (signalGroup(pid, 'SIGKILL')) log.info('processes that the program left behind were ended', { pid });
  forget();
  return { code: child.exitCode, signal: child.signalCode };
}

/** Reads what is still in the pipes, but never waits for whoever else holds them. */
async function drain({ stdout, stderr }: Piped): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, DRAIN_MS);
  });
  await Promise.race([Promise.all([closed(stdout), closed(stderr)]), late]);
  clearTimeout(timer);
  // A loop that was blocked sees the time run out before it has read: one turn more, which reads first.
  await nextTurn();
  stdout.destroy();
  stderr.destroy();
}

const closed = (stream: Readable): Promise<void> =>
  new Promise((resolve) => {
    if (stream.closed) resolve();
    else stream.once('close', () => resolve());
  });
