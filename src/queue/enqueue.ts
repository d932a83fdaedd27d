import { isDuplicate, isServerError } from '../db/faults';
import type { Queryable } from '../db/pool';
import { insert, select } from '../db/statements';
import { EXIT, messageOf, RowlockError } from '../errors';
import type { JobId } from './job';
import { findUnstorable } from './payload-fault';

/** A job to be inserted; what is left out has the table's default. */
export interface EnqueueRow {
  jobType: string;
  /** JSON text. */
  payloadText: string | null;
  queue?: string | undefined;
  priority?: number | undefined;
  /** Not before this time. @default now */
  runAt?: Date | undefined;
  /** Not before this long after `runAt`, or from now by the database's clock. */
  delayMs?: number | undefined;
  uniqueKey?: string | undefined;
  maxAttempts?: number | undefined;
}

/** The table cannot hold this job as it is. */
export class UnfitJobError extends RowlockError {
  readonly exitCode = EXIT.usage;
}

/** Another row of this type has the unique_key. Nothing of the batch was inserted. */
export class DuplicateJobError extends RowlockError {
  readonly exitCode = EXIT.usage;
}

/** What has to be known of the server before an insert. */
interface Terms {
  now: Date;
  step: number;
  largestPacket: number;
}

const LARGEST_BATCH = 500;
const LARGEST_BATCH_BYTES = 512 * 1024;

/** For the other columns of the row, and for what the worker adds when it settles the job. */
const PACKET_MARGIN = 64 * 1024;

/**
 * Enqueues jobs and answers with their ids, in order. Up to 500 of them and half a megabyte are one
 * INSERT, which is all or nothing; for more than that to be so, give a connection inside a transaction.
 * Nothing is tried again: after a lost answer nobody knows whether the jobs are there, and a second
 * INSERT could run them twice. Who cannot live with that gives them a unique key.
 *
 * @throws UnfitJobError
 * @throws DuplicateJobError
 */
export async function enqueueJobs(on: Queryable, jobs: readonly EnqueueRow[]): Promise<JobId[]> {
  if (jobs.length === 0) return [];
  const [terms] = await select<Terms>(on, 'read_insert_terms');
  if (terms === undefined) return [];
  for (const job of jobs) requireFit(job, terms);
  const ids: JobId[] = [];
  for (const batch of splitBatches(jobs)) ids.push(...(await insertBatch(on, batch, terms)));
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
    const { insertId } = await insert(on, 'insert_jobs', { rows: batch.map((job) => toRow(job, terms)) });
    return batch.map((_, index) => toId(BigInt(insertId) + BigInt(index * terms.step)));
  } catch (error) {
    throw explainRefusal(error, batch);
  }
}

const toRow = (job: EnqueueRow, { now }: Terms) => [
  job.jobType,
  job.payloadText,
  job.queue ?? 'default',
  job.priority ?? 0,
  dueAt(job, now),
  job.uniqueKey ?? null,
  job.maxAttempts ?? null,
];

const dueAt = ({ runAt, delayMs = 0 }: EnqueueRow, now: Date): Date => new Date((runAt ?? now).getTime() + delayMs);

const toId = (id: bigint): JobId => (id <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(id) : String(id));

function splitBatches(jobs: readonly EnqueueRow[]): EnqueueRow[][] {
  const batches: EnqueueRow[][] = [];
  let batch: EnqueueRow[] = [];
  let bytes = 0;
  for (const job of jobs) {
    const size = sizeInStatement(job.payloadText);
    if (batch.length === LARGEST_BATCH || (batch.length > 0 && bytes + size > LARGEST_BATCH_BYTES)) {
      batches.push(batch);
      batch = [];
      bytes = 0;
    }
    batch.push(job);
    bytes += size;
  }
  return [...batches, batch];
}

/** In a statement quotes and backslashes are escaped; in an answer MySQL puts a space after each comma and colon. */
function sizeInStatement(json: string | null): number {
  if (json === null) return 0;
  let size = Buffer.byteLength(json);
  for (let at = 0; at < json.length; at++) if (GROWING.has(json.charCodeAt(at))) size++;
  return size;
}

const GROWING = new Set([...'"\\\n\r\t,:'].map((char) => char.charCodeAt(0)));

/** TIMESTAMP's own range; newer MariaDB goes further, but not every reader of the table does. */
const EARLIEST = Date.UTC(1970, 0, 1, 0, 0, 1);
const LATEST = Date.UTC(2038, 0, 19, 3, 14, 7);

function requireFit(job: EnqueueRow, terms: Terms): void {
  const fault = findFault(job, terms);
  if (fault !== undefined) throw new UnfitJobError(fault);
}

function findFault(job: EnqueueRow, { now, largestPacket }: Terms): string | undefined {
  const { jobType, payloadText, queue, priority, uniqueKey, maxAttempts } = job;
  const due = dueAt(job, now).getTime();
  if (!(due >= EARLIEST && due <= LATEST)) {
    return 'the time to run at is outside of what a TIMESTAMP holds: 1970-01-01T00:00:01Z to 2038-01-19T03:14:07Z';
  }
  if (!isWhole(priority ?? 0, -32_768, 32_767)) return `priority ${priority} is no whole number from -32768 to 32767`;
  if (!isWhole(maxAttempts ?? 0, 0, 4_294_967_295))
    return `max attempts ${maxAttempts} is no whole number from 0 to 4294967295`;
  return (
    findNameFault('job type', jobType) ??
    (queue === undefined ? undefined : findNameFault('queue', queue)) ??
    (uniqueKey === undefined ? undefined : findNameFault('unique key', uniqueKey)) ??
    (payloadText === null ? undefined : findPayloadFault(payloadText, largestPacket))
  );
}

const isWhole = (value: number, least: number, most: number): boolean =>
  Number.isInteger(value) && value >= least && value <= most;

function findNameFault(what: string, name: string): string | undefined {
  if (name === '') return `the ${what} is empty`;
  if (name.endsWith(' ')) return `the ${what} ends with a space, which the database does not see; leave it out`;
  if (!name.isWellFormed()) return `the ${what} has half of a character in it`;
  const length = [...name].length; // the column counts whole characters
  return length > 255 ? `the ${what} has ${length} characters; 255 is the most` : undefined;
}

function findPayloadFault(json: string, largestPacket: number): string | undefined {
  const size = sizeInStatement(json) + PACKET_MARGIN;
  if (size > largestPacket) {
    return `the payload is too large: about ${size} bytes as the server gets it, and it takes ${largestPacket}; store the data elsewhere and send its place, or raise max_allowed_packet`;
  }
  const unstorable = findUnstorable(json);
  return unstorable === undefined ? undefined : `the payload ${unstorable}`;
}

/** The server's own no: what it says of JSON gives a place and quotes nothing. */
function explainRefusal(error: unknown, batch: readonly EnqueueRow[]): unknown {
  const keys = batch.flatMap(({ uniqueKey }) => (uniqueKey === undefined ? [] : [uniqueKey]));
  if (isDuplicate(error) && keys.length > 0) {
    const which = keys.length === 1 ? `the unique key "${keys[0]}"` : `one of ${keys.length} unique keys`;
    return new DuplicateJobError(`a job has ${which} already; nothing was enqueued`, { cause: error });
  }
  if (isServerError(error, ...REFUSED_JSON)) {
    const said = isServerError(error, CHECK_FAILED)
      ? 'it is no JSON, or nested deeper than this version of MariaDB takes'
      : messageOf(error);
    return new UnfitJobError(`the server refuses the payload: ${said}`, { cause: error });
  }
  return error;
}

/** MariaDB: a CHECK of the table failed, such as json_valid(payload). */
const CHECK_FAILED = 4025;

const REFUSED_JSON = [CHECK_FAILED, 3140, 3157, 3141];
