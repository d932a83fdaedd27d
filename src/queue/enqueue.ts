import { isDuplicate, isJsonRefused, isServerError } from '../db/faults';
import type { Queryable } from '../db/pool';
import { insert, select } from '../db/statements';
import { DuplicateJobError, messageOf, UnfitJobError } from '../errors';
import type { JobId } from './job';
import { dueAt, type EnqueueRow, requireFit, type SizeOf, sizeInStatement, type Terms } from './new-job';

export type { EnqueueRow } from './new-job';

const DEFAULT_QUEUE = 'default';

const LARGEST_BATCH = 500;
const LARGEST_BATCH_BYTES = 512 * 1024;

/**
 * Enqueues jobs and answers with their ids, in order. Up to 500 of them and half a megabyte are one
 * INSERT, which is all or nothing; for more than that to be so, give a connection inside a transaction.
 * Nothing is tried again: after a lost answer nobody knows whether the jobs are there, and a second
 * INSERT could run them twice. Who cannot live with that gives them a unique key.
 *
 * @param sizeOf bytes of a payload in a statement sent to `on`
 * @throws UnfitJobError
 * @throws DuplicateJobError
 */
export async function enqueueJobs(
  on: Queryable,
  jobs: readonly EnqueueRow[],
  sizeOf: SizeOf = sizeInStatement,
): Promise<JobId[]> {
  if (jobs.length === 0) return [];
  return sendInserts(on, await planInserts(on, jobs, sizeOf));
}

/** Jobs that fit, and how they are sent. */
export interface Inserts {
  terms: Terms;
  /** Each is one INSERT. */
  batches: EnqueueRow[][];
}

/**
 * The first half of {@link enqueueJobs}: nothing is inserted yet.
 *
 * @throws UnfitJobError
 */
export async function planInserts(on: Queryable, jobs: readonly EnqueueRow[], sizeOf: SizeOf): Promise<Inserts> {
  const [terms] = (await select<Terms>(on, 'read_insert_terms')) as [Terms];
  const batches = new Batches();
  for (const job of jobs) {
    const size = sizeOf(job.payloadText);
    requireFit(job, terms, size);
    batches.add(job, size);
  }
  return { terms, batches: batches.all };
}

/**
 * The second half: answers with the ids, in order.
 *
 * @throws DuplicateJobError
 */
export async function sendInserts(on: Queryable, { terms, batches }: Inserts): Promise<JobId[]> {
  const ids: JobId[] = [];
  for (const batch of batches) ids.push(...(await insertBatch(on, batch, terms)));
  return ids;
}

/** The job that has this unique key, if it still has it. */
export async function findByUniqueKey(
  on: Queryable,
  jobType: string,
  uniqueKey: string,
): Promise<{ id: JobId; status: string } | undefined> {
  const [found] = await select<{ id: JobId; status: string }>(on, 'find_job_by_unique_key', { jobType, uniqueKey });
  return found;
}

async function insertBatch(on: Queryable, batch: readonly EnqueueRow[], terms: Terms): Promise<JobId[]> {
  try {
    const { insertId } = batch.every(isPlain)
      ? await insert(on, 'insert_plain_jobs', { rows: batch.map(toPlainRow) })
      : await insert(on, 'insert_jobs', { rows: batch.map((job) => toRow(job, terms)) });
    return batch.map((_, index) => toId(BigInt(insertId) + BigInt(index * terms.step)));
  } catch (error) {
    throw explainRefusal(error, batch);
  }
}

/** Due now, and with neither a key nor a limit of its own. */
const isPlain = ({ runAt, delayMs, uniqueKey, maxAttempts }: EnqueueRow): boolean =>
  runAt === undefined && (delayMs ?? 0) === 0 && uniqueKey === undefined && maxAttempts === undefined;

const toPlainRow = ({ jobType, payloadText, queue, priority }: EnqueueRow) => [
  jobType,
  payloadText,
  queue ?? DEFAULT_QUEUE,
  priority ?? 0,
];

const toRow = (job: EnqueueRow, { now }: Terms) => [
  job.jobType,
  job.payloadText,
  job.queue ?? DEFAULT_QUEUE,
  job.priority ?? 0,
  dueAt(job, now),
  job.uniqueKey ?? null,
  job.maxAttempts ?? null,
];

const toId = (id: bigint): JobId => (id <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(id) : String(id));

/** Jobs in order, each batch as large as one INSERT may be. */
class Batches {
  readonly all: EnqueueRow[][] = [];
  private last: EnqueueRow[] = [];
  private bytes = 0;

  add(job: EnqueueRow, size: number): void {
    if (this.all.length === 0 || this.last.length === LARGEST_BATCH || this.bytes + size > LARGEST_BATCH_BYTES) {
      this.last = [];
      this.bytes = 0;
      this.all.push(this.last);
    }
    this.last.push(job);
    this.bytes += size;
  }
}

/** The server's own no: what it says of JSON gives a place and quotes nothing. */
function explainRefusal(error: unknown, batch: readonly EnqueueRow[]): unknown {
  const keys = batch.flatMap(({ uniqueKey }) => (uniqueKey === undefined ? [] : [uniqueKey]));
  if (isDuplicate(error) && keys.length > 0) {
    const which = keys.length === 1 ? `the unique key "${keys[0]}"` : `one of ${keys.length} unique keys`;
    return new DuplicateJobError(`a job has ${which} already; nothing was enqueued`, { cause: error });
  }
  if (isJsonRefused(error)) {
    const said = isServerError(error, CHECK_FAILED)
      ? 'it is no JSON, or nested deeper than this version of MariaDB takes'
      : messageOf(error);
    return new UnfitJobError(`the server refuses the payload: ${said}`, { cause: error });
  }
  return error;
}

/** MariaDB: a CHECK of the table failed, such as json_valid(payload). */
const CHECK_FAILED = 4025;
