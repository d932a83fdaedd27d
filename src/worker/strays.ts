import { AsyncLocalStorage } from 'node:async_hooks';
import { messageOf } from '../errors';
import type { Emit } from '../events';
import type { Attempt } from './attempt';

const current = new AsyncLocalStorage<Attempt>();

/** Ends the process, also while process.exit belongs to no job function. */
export const exitProcess: (code: number) => never = process.exit.bind(process);

/** Runs a job's function so that whatever it leaves behind can be traced to its attempt. */
export const runTraced = <T>(attempt: Attempt, run: () => T): T => current.run(attempt, run);

/**
 * Errors that nobody caught, and calls of process.exit, fail the attempt that they came from and no other
 * job. One that has ended already can only be told of. What comes from no attempt goes to `onUnknown`: the
 * state of the process is then unknown.
 */
export function watchStrays(onUnknown: (error: unknown) => void, emit: Emit): () => void {
  const onStray = (what: string) => (error: unknown) => {
    const attempt = current.getStore();
    if (attempt === undefined) return onUnknown(error);
    const words = `${what}: ${messageOf(error)}`;
    if (attempt.isOver) emit('job.stray', { ...attempt.facts, what: words });
    else attempt.abort('stray', words);
  };
  const onRejection = onStray('a rejected promise that nobody awaits');
  const onException = onStray('an exception that nobody catches');
  const exit = (code?: number | string | null): never => {
    const attempt = current.getStore();
    if (attempt === undefined) return exitProcess(Number(code ?? process.exitCode ?? 0));
    const error = new Error(`process.exit(${code ?? ''}) was called by the job; return, or throw an error`);
    attempt.abort('stray', error.message);
    throw error;
  };
  process.on('unhandledRejection', onRejection);
  process.on('uncaughtException', onException);
  process.exit = exit;
  return () => {
    process.off('unhandledRejection', onRejection);
    process.off('uncaughtException', onException);
    process.exit = exitProcess;
  };
}
