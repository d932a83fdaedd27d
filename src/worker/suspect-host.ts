import { type ChildProcess, fork } from 'node:child_process';
import type { Emit } from '../events';
import { clearTimeout, setImmediate, setTimeout } from '../timers';
import type { Attempt } from './attempt';
import type { Execution } from './execute';
import { afterStop, graceOf, retryOrFail } from './execute';
import type { JobType } from './job-type';
import { CANCELLED } from './outcome';
import { CRASHES_AT_MOST } from './settlement';
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

/** A new process loads the job functions before it begins; one that is used again has only to hear of the job. */
const STARTS_WITHIN_MS = 60_000;
const HEARS_WITHIN_MS = 5_000;

/** The process ended, or was ended, before the function began: that tells nothing of the job. */
class NotBegun extends Error {}

/**
 * Runs suspects, each alone in a process of its own. One that ends its process takes nothing along, and is
 * known to have done it. A process whose suspect has ended well is used again; but what that one has left behind may end it
 * under the next. So the crash that would fail a job is one of a process that has run nothing else.
 */
export class SuspectHost {
  private readonly idle: ChildProcess[] = [];
  private readonly busy = new Set<ChildProcess>();
  private readonly options: SuspectHostOptions;

  constructor(options: SuspectHostOptions) {
    this.options = options;
  }

  /** Rejects if no process can be started for it: memory or processes are short, or its job functions do not load. */
  async execute(attempt: Attempt, type: JobType): Promise<Execution> {
    const used = attempt.job.crashes < CRASHES_AT_MOST - 1 ? this.idle.pop() : undefined;
    if (used === undefined) return this.executeIn(this.spawn(), STARTS_WITHIN_MS, attempt, type);
    try {
      return await this.executeIn(used, HEARS_WITHIN_MS, attempt, type);
    } catch (error) {
      if (!(error instanceof NotBegun)) throw error;
      return this.executeIn(this.spawn(), STARTS_WITHIN_MS, attempt, type);
    }
  }

  private async executeIn(
    child: ChildProcess,
    beginsWithinMs: number,
    attempt: Attempt,
    type: JobType,
  ): Promise<Execution> {
    this.busy.add(child);
    const execution = await this.converse(child, beginsWithinMs, attempt, type).finally(() => this.busy.delete(child));
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

  /** Rejects with NotBegun if the process ended before the function began. */
  private converse(child: ChildProcess, beginsWithinMs: number, attempt: Attempt, type: JobType): Promise<Execution> {
    const { emit, graceMs, isStopping, runId } = this.options;
    return new Promise((resolve, reject) => {
      let overdue: NodeJS.Timeout | undefined;
      let hasBegun = false;
      const leave = () => {
        clearTimeout(overdue);
        child.off('message', onMessage).off('close', onClose).off('error', onError);
        attempt.signal.removeEventListener('abort', onAbort);
      };
      const finish = (execution: Execution) => {
        leave();
        resolve(execution);
      };
      const onMessage = (message: FromChild) => {
        if (message.kind === 'ended') finish(message.execution);
        else if (message.kind === 'event') emit(message.name, message.facts as never);
        else onBegun();
      };
      // Not its exit: what it has said before that may still be on its way.
      const onClose = (code: number | null, signal: NodeJS.Signals | null) => {
        if (hasBegun || attempt.aborted !== undefined) return finish(this.afterExit(attempt, type, code, signal));
        leave();
        reject(new NotBegun(`its process was ended ${sayEnd(code, signal)} before it began`));
      };
      const onError = (error: Error) => {
        leave();
        reject(error);
      };
      const onBegun = () => {
        hasBegun = true;
        if (attempt.aborted !== undefined) return;
        clearTimeout(overdue);
        overdue = setTimeout(() => {
          // The child's own timer is stuck: its function does not yield.
          attempt.abort('timeout', `timed out after ${type.timeoutMs} ms`);
        }, type.timeoutMs + SPARE_MS);
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
      child.on('message', onMessage).on('close', onClose).on('error', onError);
      attempt.signal.addEventListener('abort', onAbort, { once: true });
      // In a turn of its own: of a process that was frozen itself, what the child has said meanwhile comes first.
      overdue = setTimeout(() => setImmediate(() => hasBegun || child.kill('SIGKILL')), beginsWithinMs);
      send(child, { kind: 'run', job: attempt.job, runId, stopping: isStopping() });
      if (attempt.signal.aborted) onAbort();
    });
  }

  /** A child that was ended for its abort has not crashed; any other has. */
  private afterExit(attempt: Attempt, type: JobType, code: number | null, signal: NodeJS.Signals | null): Execution {
    const { aborted } = attempt;
    const { runId, host } = this.options;
    if (aborted === undefined) {
      const outcome = {
        kind: 'crashed',
        how: `the process of run ${runId} on ${host} that ran it alone was ended ${sayEnd(code, signal)}`,
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

const sayEnd = (code: number | null, signal: NodeJS.Signals | null): string =>
  signal === null ? `with exit code ${code}` : `by ${signal}`;

function send(child: ChildProcess, message: ToChild): void {
  // A child that has gone is told of by its exit.
  if (child.connected) child.send(message, () => undefined);
}
