import { type ChildProcess, fork } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { availableParallelism } from 'node:os';
import type { Emit } from '../events';
import { clearTimeout, setImmediate, setTimeout } from '../timers';
import type { Attempt, AttemptAborted } from './attempt';
import type { Execution } from './execute';
import { afterStop, graceOf, retryOrFail } from './execute';
import type { JobType } from './job-type';
import { CANCELLED, type Outcome } from './outcome';
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

/**
 * Processes that start at the same time. Each keeps a core busy until it has loaded the job functions: eight at once on two
 * cores, in three runs, kept the runs' own heartbeats from a lease of 2 seconds. Who waits loses little, as one that has
 * started takes the next suspect at once.
 */
const STARTS_AT_ONCE = availableParallelism();

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
  private readonly starting = new Set<ChildProcess>();
  private readonly processes = new EventEmitter().setMaxListeners(0);
  private isClosed = false;
  private readonly options: SuspectHostOptions;

  constructor(options: SuspectHostOptions) {
    this.options = options;
  }

  /** Rejects if no process can be started for it: memory or processes are short, or its job functions do not load. */
  async execute(attempt: Attempt, type: JobType): Promise<Execution> {
    const wantsNew = attempt.job.crashes >= CRASHES_AT_MOST - 1;
    for (;;) {
      if (attempt.aborted !== undefined) return executionOf(beforeItBegan(attempt.aborted));
      if (this.isClosed) return executionOf({ kind: 'released', why: 'the run has ended', delayMs: 0 });
      const used = wantsNew ? undefined : this.idle.pop();
      if (used !== undefined) {
        try {
          return await this.executeIn(used, HEARS_WITHIN_MS, attempt, type);
        } catch (error) {
          if (!(error instanceof NotBegun)) throw error;
        }
      } else if (this.starting.size < STARTS_AT_ONCE) {
        return this.executeIn(this.start(), STARTS_WITHIN_MS, attempt, type);
      } else {
        await this.nextChange(attempt.signal);
      }
    }
  }

  /** Waits until a process has started or is idle, or the attempt is aborted. Those that wait go on in their order. */
  private async nextChange(signal: AbortSignal): Promise<void> {
    await once(this.processes, 'change', { signal }).catch((error) => {
      if (!signal.aborted) throw error;
    });
  }

  private async executeIn(
    child: ChildProcess,
    beginsWithinMs: number,
    attempt: Attempt,
    type: JobType,
  ): Promise<Execution> {
    this.busy.add(child);
    const execution = await this.converse(child, beginsWithinMs, attempt, type).finally(() => {
      this.busy.delete(child);
      this.freeStart(child);
    });
    if (child.connected && !execution.abandoned) this.idle.push(child);
    else child.kill('SIGKILL');
    this.processes.emit('change');
    // What goes on in there ends with the child; this process need not.
    return { ...execution, abandoned: false };
  }

  /** The run claims nothing more. */
  tellStopping(): void {
    for (const child of this.busy) send(child, { kind: 'stopping' });
  }

  close(): void {
    this.isClosed = true;
    for (const child of [...this.idle, ...this.starting]) child.kill('SIGKILL');
    // Ends its program first; one that does not hear it is ended by its own watch once this process has gone.
    for (const child of this.busy) if (child.connected && !this.starting.has(child)) child.disconnect();
    this.processes.emit('change');
  }

  private start(): ChildProcess {
    const [script, ...args] = this.options.entry;
    const child = fork(script, args, { serialization: 'advanced', stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    child.on('exit', () => {
      const index = this.idle.indexOf(child);
      if (index >= 0) this.idle.splice(index, 1);
    });
    this.starting.add(child);
    return child;
  }

  private freeStart(child: ChildProcess): void {
    if (this.starting.delete(child)) this.processes.emit('change');
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
        this.freeStart(child);
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
      const how = `the process of run ${runId} on ${host} that ran it alone was ended ${sayEnd(code, signal)}`;
      return executionOf({ kind: 'crashed', how });
    }
    if (aborted.kind === 'lost') return executionOf({ kind: 'lost', why: aborted.message });
    if (aborted.kind === 'cancelled') return executionOf(CANCELLED);
    if (aborted.kind === 'stopping') return executionOf(afterStop(attempt, aborted));
    return executionOf(retryOrFail(attempt, type, `${aborted.message}, and its process was ended`, undefined));
  }
}

/** What goes on ends with its process, or has never begun. */
const executionOf = (outcome: Outcome): Execution => ({ outcome, abandoned: false });

/** It waited for a process: whatever it is, it has not run. */
function beforeItBegan({ kind, message }: AttemptAborted): Outcome {
  if (kind === 'lost') return { kind: 'lost', why: message };
  if (kind === 'cancelled') return CANCELLED;
  return { kind: 'released', why: message, delayMs: 0 };
}

const sayEnd = (code: number | null, signal: NodeJS.Signals | null): string =>
  signal === null ? `with exit code ${code}` : `by ${signal}`;

function send(child: ChildProcess, message: ToChild): void {
  // A child that has gone is told of by its exit.
  if (child.connected) child.send(message, () => undefined);
}
