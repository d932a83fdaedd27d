import { isJsonRefused, isTooLarge } from '../db/faults';
import { codeOf, isRetryAfter, isUnrecoverable, messageOf } from '../errors';
import { completeJob, TakenAwayError } from '../queue/fenced';
import { findUnstorable } from '../queue/payload-fault';
import { clearTimeout, setTimeout } from '../timers';
import { type Attempt, AttemptAborted } from './attempt';
import { killAfter, PROGRAM_GRACE_MS, runCommand } from './command';
import { createContext, guarded, HandedOn, type Surroundings } from './context';
import { Completion, type JobContext } from './define';
import type { JobType } from './job-type';
import { backoffMs, CANCELLED, type Outcome } from './outcome';
import { parseJson, toJson, validate } from './payload';
import { type OpenOutcome, settlementOf } from './settlement';
import { runTraced } from './strays';

export interface Execution {
  outcome: Outcome;
  /** The function goes on, although its attempt is over: this process must end soon. */
  abandoned: boolean;
  /** Why a result that was returned is not stored. */
  dropped?: string;
}

/** How a function ended: `run` never rejects, so that no catch decides a state by where it stands. */
type Ended = { returned: unknown } | { threw: unknown } | { committed: true; dropped?: string };

/**
 * Runs one attempt to its end and says how it ended; writes nothing, but for the function's own
 * `ctx.complete`. Rejects only by a fault of its own.
 *
 * @param graceMs how long a function may go on after its abort before it is abandoned
 */
export function execute(attempt: Attempt, type: JobType, around: Surroundings, graceMs: number): Promise<Execution> {
  return new Promise((resolve, reject) => {
    let late: NodeJS.Timeout | undefined;
    let isEnded = false;
    const timer = setTimeout(() => attempt.abort('timeout', `timed out after ${type.timeoutMs} ms`), type.timeoutMs);
    const end = (describe: () => Execution) => {
      if (isEnded) return;
      isEnded = true;
      attempt.isOver = true;
      attempt.onAbort = undefined;
      clearTimeout(timer);
      clearTimeout(late);
      try {
        resolve(describe());
      } catch (error) {
        reject(error);
      }
    };
    attempt.onAbort = () => {
      late = setTimeout(end, graceOf(type, graceMs), () => {
        attempt.abandon();
        return { outcome: afterAbandon(attempt, type), abandoned: true };
      });
    };
    if (attempt.aborted !== undefined) attempt.onAbort();
    const running = runTraced(attempt, () => run(attempt, type, around));
    // What was thrown or returned may run code of the job's own when it is looked at, such as a getter that calls process.exit.
    void running.then((ended) =>
      end(() => runTraced(attempt, () => ({ abandoned: false, ...decide(attempt, type, ended) }))),
    );
  });
}

/** A program is ended by force, which takes its time; a function can only be waited for. */
export const graceOf = ({ kind }: JobType, graceMs: number): number =>
  kind === 'command' ? Math.max(graceMs, PROGRAM_GRACE_MS) : graceMs;

async function run(attempt: Attempt, type: JobType, around: Surroundings): Promise<Ended> {
  try {
    const context = createContext(attempt, around);
    const returned =
      type.kind === 'command' ? await runProgram(attempt, type, context) : await runFunction(attempt, type, context);
    if (!(returned instanceof Completion) || isForfeited(attempt)) return { returned };
    return await commit(attempt, type, around, returned);
  } catch (error) {
    return { threw: error };
  }
}

/** Whatever the function did, nobody wants it any more. */
const isForfeited = ({ aborted }: Attempt): boolean => aborted?.kind === 'lost' || aborted?.kind === 'stray';

/** The payload is one that the type's schema refuses, or no JSON: no retry can help. */
class RefusedPayload extends Error {}

/** What a program said of itself when it failed for good. */
class ProgramFailed extends Error {}

/** A schema takes its time, and one that is not there takes none. */
function runFunction(attempt: Attempt, { definition }: JobType & { kind: 'function' }, context: JobContext): unknown {
  const payload = parsePayload(attempt.job.payload);
  if (definition.payload === undefined) return definition.run(payload, context);
  return validate(definition.payload, payload).then((checked) => {
    if (checked.refused !== undefined) throw new RefusedPayload(checked.refused);
    return definition.run(checked.value, context);
  });
}

function parsePayload(text: string | null): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    throw new RefusedPayload(`payload refused: ${messageOf(error)}`);
  }
}

async function runProgram(
  attempt: Attempt,
  type: JobType & { kind: 'command' },
  context: JobContext,
): Promise<Printed> {
  const { job, signal } = attempt;
  const ended = await runCommand(type.definition, {
    payloadText: job.payload,
    jobId: job.id,
    attempt: job.attempts,
    signal,
    log: context.log,
    killAfterMs: () => killAfter(attempt.aborted?.kind === 'stopping' || attempt.aborted?.kind === 'lost'),
  });
  if (ended.kind === 'completed') return new Printed(ended.result, ended.dropped);
  throw ended.kind === 'failed' ? new ProgramFailed(ended.error) : new Error(ended.error);
}

/** What a program printed: JSON text already. */
class Printed {
  readonly stored: Stored;
  constructor(result: string | null, dropped: string | undefined) {
    this.stored = { result, ...(dropped !== undefined && { dropped }) };
  }
}

type Decision = Pick<Execution, 'outcome' | 'dropped'>;

function decide(attempt: Attempt, type: JobType, ended: Ended): Decision {
  const { aborted } = attempt;
  if ('threw' in ended) return { outcome: decideAnyThrown(attempt, type, ended.threw) };
  if ('committed' in ended) {
    const { committed: _, ...dropped } = ended;
    return { outcome: { kind: 'committed' }, ...dropped };
  }
  if (aborted?.kind === 'lost') return { outcome: { kind: 'lost', why: aborted.message } };
  if (aborted?.kind === 'stray') return { outcome: decideThrown(attempt, type, aborted) };
  // Work that is done counts, also when it ended after its abort.
  const { result, ...dropped } = toStored(ended.returned);
  return { outcome: { kind: 'completed', result }, ...dropped };
}

interface Stored {
  /** JSON text, or SQL NULL. */
  result: string | null;
  /** Why it is NULL although something was returned. */
  dropped?: string;
}

const LONGEST_RESULT_BYTES = 1_000_000;

/** What cannot be stored is NULL: a job that is done is never repeated for its result. */
function toStored(returned: unknown): Stored {
  if (returned === undefined) return { result: null };
  if (returned instanceof Printed) return returned.stored;
  try {
    const result = toJson(returned);
    if (Buffer.byteLength(result) > LONGEST_RESULT_BYTES) {
      return { result: null, dropped: `it is larger than ${LONGEST_RESULT_BYTES} bytes` };
    }
    const fault = findUnstorable(result);
    return fault === undefined ? { result } : { result: null, dropped: `it ${fault}` };
  } catch (error) {
    return { result: null, dropped: messageOf(error) };
  }
}

/** `return ctx.complete(write)`: the function's writes and the completion in one transaction. */
async function commit(attempt: Attempt, type: JobType, around: Surroundings, done: Completion): Promise<Ended> {
  const { result, ...dropped } = toStored(done.result);
  const complete = (stored: string | null) => {
    const settlement = settlementOf(attempt, type, { kind: 'completed', result: stored });
    return completeJob(around.pool(), attempt.fence, settlement, guarded(done.write), attempt.abandoned);
  };
  try {
    await complete(result);
    return { committed: true, ...dropped };
  } catch (error) {
    if (result === null || !(isJsonRefused(error) || isTooLarge(error))) throw error;
    // A document nested too deep for this version of the server, say, or a server that takes less than before. All of it
    // was undone.
    await complete(null);
    return { committed: true, dropped: messageOf(error) };
  }
}

/** What was thrown may throw again when it is looked at: a `code` that is a getter, a proxy that was revoked. */
function decideAnyThrown(attempt: Attempt, type: JobType, thrown: unknown): Outcome {
  try {
    return decideThrown(attempt, type, thrown);
  } catch {
    return retryOrFail(attempt, type, messageOf(thrown), undefined);
  }
}

function decideThrown(attempt: Attempt, type: JobType, thrown: unknown): Outcome {
  const { aborted } = attempt;
  if (thrown instanceof TakenAwayError) return { kind: 'lost', why: thrown.message };
  if (thrown instanceof HandedOn) return { kind: 'released', why: thrown.message, delayMs: 0 };
  if (aborted?.kind === 'lost') return { kind: 'lost', why: aborted.message };
  if (aborted?.kind === 'cancelled') return CANCELLED;
  if (aborted?.kind === 'stopping') return afterStop(attempt, aborted);
  if (thrown instanceof RefusedPayload || thrown instanceof ProgramFailed)
    return { kind: 'failed', error: thrown.message };
  if (isUnrecoverable(thrown)) return { kind: 'failed', error: messageOf(thrown) };
  return retryOrFail(
    attempt,
    type,
    errorOf(aborted, thrown),
    isRetryAfter(thrown) ? Math.round(thrown.delayMs) : undefined,
  );
}

/** On a timeout the function's own words are mostly an echo of the abort; they are kept where they are not. */
function errorOf(aborted: AttemptAborted | undefined, thrown: unknown): string {
  if (aborted === undefined || thrown === aborted)
    return messageOf(thrown instanceof AttemptAborted ? thrown.message : thrown);
  const said = messageOf(thrown);
  return codeOf(thrown) === 'ABORT_ERR' || said === aborted.message
    ? aborted.message
    : messageOf(`${aborted.message}; ${said}`);
}

/** The run had to end before the job did: it goes back unharmed, unless it may be begun but once. */
export function afterStop(attempt: Attempt, { message }: AttemptAborted): OpenOutcome {
  if (attempt.maxAttempts === 1) return { kind: 'failed', error: `${message} before it ended; may have run` };
  return { kind: 'released', why: message, delayMs: 0 };
}

/** A function that ignored its abort past the grace. */
export function afterAbandon(attempt: Attempt, type: JobType): Exclude<Outcome, { kind: 'committed' }> {
  const { aborted } = attempt;
  if (aborted?.kind === 'lost') return { kind: 'lost', why: aborted.message };
  if (aborted?.kind === 'cancelled') return CANCELLED;
  if (aborted?.kind === 'stopping') return afterStop(attempt, aborted);
  return retryOrFail(attempt, type, `${aborted?.message ?? 'aborted'}, and the function ignored its abort`, undefined);
}

/** An attempt that failed: tried again while attempts are left. */
export function retryOrFail(attempt: Attempt, type: JobType, error: string, delayMs: number | undefined): OpenOutcome {
  if (attempt.job.attempts >= attempt.maxAttempts) return { kind: 'failed', error };
  return { kind: 'retry', error, delayMs: delayMs ?? backoffMs(attempt.job.attempts, type.backoffMs) };
}
