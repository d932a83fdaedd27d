import { isDate } from 'node:util/types';
import { messageOf, UnfitJobError } from '../errors';
import type { EnqueueRow } from '../queue/new-job';
import type { CommandJob, FunctionJob, JobDefinition, NewJob } from '../worker/define';
import { findRefusal, toEnqueue } from '../worker/new-job';
import type { Registry } from '../worker/registry';

/**
 * A job that may be enqueued of these definitions: a {@link NewJob} whose `type` is one of theirs and whose
 * `payload` is what that type's schema takes. Of `runAt` and `delay` it has one at most.
 */
export type JobOf<Definition extends JobDefinition> =
  Definition extends FunctionJob<unknown, infer Type, infer Input>
    ? Rest & { type: Type } & PayloadOf<Input>
    : Definition extends CommandJob<infer Type>
      ? Rest & { type: Type; payload?: unknown }
      : never;

type Rest = Omit<NewJob, 'type' | 'payload'>;

/** It may be left out where the schema takes undefined, and where there is no schema. */
type PayloadOf<Input> = undefined extends Input ? { payload?: Input } : { payload: Input };

const TEXTS = ['type', 'queue', 'delay', 'uniqueKey'] as const;
const KEYS = [...TEXTS, 'payload', 'priority', 'runAt', 'maxAttempts'];

/**
 * Checks a job by its type's schema and fills in the type's defaults. What is stored is the payload as it was given:
 * the worker's schema reads it again.
 *
 * @throws UnfitJobError
 */
export async function readJob(job: NewJob, known: Registry, isClosed: boolean): Promise<EnqueueRow> {
  requireShape(job);
  const type = known.get(job.type);
  if (type === undefined && isClosed) {
    throw new UnfitJobError(
      `the queue has no job type "${job.type.slice(0, 100)}" among its jobs; add its definition, or enqueue it by a queue that was created without jobs`,
    );
  }
  const row = toRow(job, known);
  const refused = type === undefined ? undefined : await findRefusal(type, row.payloadText);
  if (refused !== undefined) throw new UnfitJobError(`${job.type}: ${refused}`);
  return row;
}

/** What TypeScript says at once, for those who write JavaScript. */
function requireShape(job: NewJob): void {
  if (typeof job !== 'object' || job === null || typeof job.type !== 'string') {
    throw new UnfitJobError("a job is an object such as { type: 'email.send', payload: { … } }");
  }
  const unknown = Object.keys(job).find((key) => !KEYS.includes(key));
  if (unknown !== undefined)
    throw new UnfitJobError(`a job has no "${unknown.slice(0, 100)}"; known are ${KEYS.join(', ')}`);
  for (const key of TEXTS) {
    if (job[key] !== undefined && typeof job[key] !== 'string') throw new UnfitJobError(`the job's ${key} is no text`);
  }
  if (job.runAt !== undefined && !isDate(job.runAt)) throw new UnfitJobError("the job's runAt is no Date");
  if (job.delay !== undefined && job.runAt !== undefined) {
    throw new UnfitJobError('the job has both a runAt and a delay; give one of them');
  }
}

function toRow(job: NewJob, known: Registry): EnqueueRow {
  try {
    return toEnqueue(job, known);
  } catch (error) {
    throw new UnfitJobError(`${job.type}: ${messageOf(error)}`, { cause: error });
  }
}
