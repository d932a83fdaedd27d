import { UnfitJobError } from '../errors';
import { OWN_NAMES } from './job';
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

/** What has to be known of the server before an insert. */
export interface Terms {
  now: Date;
  step: number;
  /** 0: an INSERT alone begins a transaction, and does not commit it. */
  autocommit: 0 | 1;
  largestPacket: number;
}

/** For the other columns of the row, and for what the worker adds when it settles the job. */
const PACKET_MARGIN = 64 * 1024;

/** TIMESTAMP's own range; newer MariaDB goes further, but not every reader of the table does. */
const EARLIEST = Date.UTC(1970, 0, 1, 0, 0, 1);
const LATEST = Date.UTC(2038, 0, 19, 3, 14, 7);

/** Bytes of a payload inside of a statement. */
export type SizeOf = (json: string | null) => number;

/**
 * @param size of its payload in a statement
 * @throws UnfitJobError
 */
export function requireFit(job: EnqueueRow, terms: Terms, size: number): void {
  const fault = findFault(job, terms, size);
  if (fault !== undefined) throw new UnfitJobError(fault);
}

function findFault(job: EnqueueRow, { now, largestPacket }: Terms, payloadSize: number): string | undefined {
  const { jobType, payloadText, queue, priority, uniqueKey, maxAttempts } = job;
  if (!isNow(job) && !isInRange(dueAt(job, now).getTime())) {
    return 'the time to run at is outside of what a TIMESTAMP holds: 1970-01-01T00:00:01Z to 2038-01-19T03:14:07Z';
  }
  if (!isWhole(priority ?? 0, -32_768, 32_767)) return `priority ${priority} is no whole number from -32768 to 32767`;
  if (!isWhole(maxAttempts ?? 0, 0, 4_294_967_295))
    return `max attempts ${maxAttempts} is no whole number from 0 to 4294967295`;
  return (
    findNameFault('job type', jobType) ??
    (jobType.startsWith(OWN_NAMES)
      ? `the job type begins with "${OWN_NAMES}", which is kept for Rowlock itself; give it another name`
      : undefined) ??
    (queue === undefined ? undefined : findNameFault('queue', queue)) ??
    (uniqueKey === undefined ? undefined : findNameFault('unique key', uniqueKey)) ??
    (payloadText === null ? undefined : findPayloadFault(payloadText, payloadSize, largestPacket))
  );
}

const isNow = ({ runAt, delayMs }: EnqueueRow): boolean => runAt === undefined && delayMs === undefined;

const isInRange = (due: number): boolean => due >= EARLIEST && due <= LATEST;

const isWhole = (value: number, least: number, most: number): boolean =>
  Number.isInteger(value) && value >= least && value <= most;

function findNameFault(what: string, name: string): string | undefined {
  if (name === '') return `the ${what} is empty`;
  if (name.endsWith(' ')) return `the ${what} ends with a space, which the database does not see; leave it out`;
  if (!name.isWellFormed()) return `the ${what} has half of a character in it`;
  if (name.length <= 255) return undefined;
  const length = [...name].length; // the column counts whole characters
  return length > 255 ? `the ${what} has ${length} characters; 255 is the most` : undefined;
}

function findPayloadFault(json: string, payloadSize: number, largestPacket: number): string | undefined {
  const size = payloadSize + PACKET_MARGIN;
  if (size > largestPacket) {
    return `the payload is too large: about ${size} bytes as the server gets it, and it takes ${largestPacket}; store the data elsewhere and send its place, or raise max_allowed_packet`;
  }
  const unstorable = findUnstorable(json);
  return unstorable === undefined ? undefined : `the payload ${unstorable}`;
}

/** In a statement quotes and backslashes are escaped; in an answer MySQL puts a space after each comma and colon. */
export function sizeInStatement(json: string | null): number {
  if (json === null) return 0;
  let size = Buffer.byteLength(json);
  for (let at = 0; at < json.length; at++) if (GROWS[json.charCodeAt(at)] === 1) size++;
  return size;
}

/** By a character's code; those beyond the end do not grow. */
const GROWS = new Uint8Array(128);
for (const char of '\'"\\\n\r\t,:') GROWS[char.charCodeAt(0)] = 1;

/** When it is due; without a time of its own, from the database's clock. */
export const dueAt = ({ runAt, delayMs = 0 }: EnqueueRow, now: Date): Date =>
  new Date((runAt ?? now).getTime() + delayMs);
