import { type ChildProcess, fork } from 'node:child_process';
import type { Emit } from '../events';
import type { Attempt } from './attempt';
import type { Execution } from './execute';
import { afterStop, graceOf, retryOrFail } from './execute';
import type { JobType } from './job-type';
import { CANCELLED } from './outcome';
import type { FromChild, ToChild } from './suspect-messages';

export interface SuspectHostOptions {
  /** The script and arguments of a process that serves {@link serveSuspects}. */
  entry: readonly [string, ...string[]];
  runId: number;
  host: string;
  graceMs: number;
  emit: Emit;
  isStopping(): boolean;
}

/** Added to timeout and grace before a child that ends nothing of its own is ended: it may spin without yielding. */
const SPARE_MS = 1_000;

/**
 * Runs suspects, each alone in a process of its own. One that ends its process takes nothing along, and is
 * known to have done it. A process whose suspect has ended well is used again.
 */
export class SuspectHost {
  private readonly idle: ChildProcess[] = [];
  private readonly busy = new Set<ChildProcess>();
  private readonly options: SuspectHostOptions;

  constructor(options: SuspectHostOptions) {
    this.options = options;
  }

  /** Rejects if no process can be started for it: memory or processes are short. */
  async execute(attempt: Attempt, type: JobType): Promise<Execution> {
    const child = this.idle.pop() ?? this.spawn();
    this.busy.add(child);
    const execution = await this.converse(child, attempt, type).finally(() => this.busy.delete(child));
    if (child.connected && !execution.abandoned) this.idle.push(child);
    else child.kill('SIGKILL');
    // What goes on in there ends with the child; this process need not.
    return { ...execution, abandoned: false };
  }

  /** The run claims nothing more. */
  tellStopping(): void {
    for (const child of this.busy) send(child, { kind: 'stopping' });
  }

  close(): void {
    for (const child of this.idle) child.kill('SIGKILL');
    // Ends its program first; one that does not hear it is ended by its own watch once this process has gone.
    for (const child of this.busy) if (child.connected) child.disconnect();
  }

  private spawn(): ChildProcess {
    const [script, ...args] = this.options.entry;
    const child = fork(script, args, { serialization: 'advanced', stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    child.on('exit', () => {
      const index = this.idle.indexOf(child);
      if (index >= 0) this.idle.splice(index, 1);
    });
    return child;
  }

  private converse(child: ChildProcess, attempt: Attempt, type: JobType): Promise<Execution> {
    const { emit, graceMs, isStopping, runId } = this.options;
    return new Promise((resolve, reject) => {
      let overdue: NodeJS.Timeout | undefined;
      const finish = (execution: Execution) => {
        clearTimeout(overdue);
        child.off('message', onMessage).off('exit', onExit).off('error', onError);
        attempt.signal.removeEventListener('abort', onAbort);
        resolve(execution);
      };
      const onMessage = (message: FromChild) => {
        if (message.kind === 'ended') finish(message.execution);
        else emit(message.name, message.facts as never);
      };
      const onExit = (code: number | null, signal: NodeJS.Signals | null) =>
        finish(this.afterExit(attempt, type, code, signal));
      const onError = (error: Error) => {
        clearTimeout(overdue);
        reject(error);
      };
      const endLate = (ms: number) => {
        clearTimeout(overdue);
        overdue = setTimeout(() => child.kill('SIGKILL'), ms);
      };
      const onAbort = () => {
        const reason = attempt.aborted;
        if (reason !== undefined) send(child, { kind: 'abort', abort: reason.kind, why: reason.message });
        endLate(graceOf(type, graceMs) + SPARE_MS);
      };
      child.on('message', onMessage).on('exit', onExit).on('error', onError);
      attempt.signal.addEventListener('abort', onAbort, { once: true });
      overdue = setTimeout(() => {
        // The child's own timer is stuck: its function does not yield.
        attempt.abort('timeout', `timed out after ${type.timeoutMs} ms`);
      }, type.timeoutMs + SPARE_MS);
      send(child, { kind: 'run', job: attempt.job, runId, stopping: isStopping() });
      if (attempt.signal.aborted) onAbort();
    });
  }

  /** A child that was ended for its abort has not crashed; any other has. */
  private afterExit(attempt: Attempt, type: JobType, code: number | null, signal: NodeJS.Signals | null): Execution {
    const { aborted } = attempt;
    const { runId, host } = this.options;
    const how = signal === null ? `with exit code ${code}` : `by ${signal}`;
    if (aborted === undefined) {
      const outcome = {
        kind: 'crashed',
        how: `the process of run ${runId} on ${host} that ran it alone was ended ${how}`,
      } as const;
      return { outcome, abandoned: false };
    }
    if (aborted.kind === 'lost') return { outcome: { kind: 'lost', why: aborted.message }, abandoned: false };
    if (aborted.kind === 'cancelled') return { outcome: CANCELLED, abandoned: false };
    if (aborted.kind === 'stopping') return { outcome: afterStop(attempt, aborted), abandoned: false };
    const outcome = retryOrFail(attempt, type, `${aborted.message}, and its process was ended`, undefined);
    return { outcome, abandoned: false };
  }
}

function send(child: ChildProcess, message: ToChild): void {
  // A child that has gone is told of by its exit.
  if (child.connected) child.send(message, () => undefined);
}
