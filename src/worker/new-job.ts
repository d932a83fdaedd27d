import { parseDuration } from '../duration';
import type { EnqueueRow } from '../queue/enqueue';
import type { NewJob } from './define';
import { parseJson, toJson, validate } from './payload';
import type { JobType, Registry } from './registry';

/** A job as it is inserted: what its caller leaves out has the default of its type, or of the table. */
export function toEnqueue(job: NewJob, registry: Registry): EnqueueRow {
  const known = registry.get(job.type);
  const delayMs = job.delay === undefined ? undefined : parseDuration(job.delay);
  if (job.delay !== undefined && delayMs === undefined) {
    throw new RangeError(`"${job.delay}" is no duration such as 30s or 5m`);
  }
  return {
    jobType: job.type,
    payloadText: job.payload === undefined ? null : toJson(job.payload),
    queue: job.queue ?? known?.queue ?? 'default',
    priority: job.priority ?? known?.priority ?? 0,
    ...(job.runAt && { runAt: job.runAt }),
    ...(delayMs !== undefined && { delayMs }),
    ...(job.uniqueKey !== undefined && { uniqueKey: job.uniqueKey }),
    ...(job.maxAttempts !== undefined && { maxAttempts: job.maxAttempts }),
  };
}

/**
 * What the type's schema has against a payload, in words; undefined: nothing. It is asked as the worker will ask it:
 * a Date is a text by then.
 */
export async function findRefusal(type: JobType, payloadText: string | null): Promise<string | undefined> {
  const schema = type.kind === 'function' ? type.definition.payload : undefined;
  return schema === undefined ? undefined : (await validate(schema, parseJson(payloadText))).refused;
}
