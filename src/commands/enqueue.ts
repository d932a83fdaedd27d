import { readFileSync } from 'node:fs';
import type { Settings } from '../config';
import { isDenied } from '../db/faults';
import type { Pool } from '../db/pool';
import { parseDuration } from '../duration';
import { ConfigError, DuplicateJobError, EXIT, type ExitCode, messageOf, UsageError } from '../errors';
import { loadRegistry } from '../jobs/load-registry';
import { findNearest } from '../nearest';
import { enqueueJobs, findByUniqueKey } from '../queue/enqueue';
import type { EnqueueRow } from '../queue/new-job';
import { findSyntaxFault, findUnstorable } from '../queue/payload-fault';
import { findRefusal } from '../worker/new-job';
import type { JobType, Registry } from '../worker/registry';
import { exactId, print, toJsonLine, warn } from './print';
import { parseRunAt } from './run-at';
import { withQueue } from './session';

export interface EnqueueOptions {
  queue?: string;
  priority?: string;
  runAt?: string;
  in?: string;
  uniqueKey?: string;
  maxAttempts?: string;
  json?: boolean;
}

/** `rowlock enqueue TYPE [JSON, @file or -]`: prints the id. */
export async function enqueueCommand(
  settings: Settings,
  type: string,
  given: string | undefined,
  options: EnqueueOptions,
): Promise<ExitCode> {
  const known = await loadRegistry(settings);
  const jobType = known.get(type);
  const row = { ...readOptions(options), jobType: type, payloadText: readPayload(given) };
  if (jobType === undefined) warnOfTypo(type, known);
  else await requireValid(jobType, row.payloadText);
  const job: EnqueueRow = { ...row, queue: row.queue ?? jobType?.queue, priority: row.priority ?? jobType?.priority };
  return withQueue(settings, (pool) => enqueueOne(pool, job, settings, options.json === true));
}

async function enqueueOne(pool: Pool, job: EnqueueRow, settings: Settings, json: boolean): Promise<ExitCode> {
  try {
    const [id] = await enqueueJobs(pool, [job]);
    if (id !== undefined) print(json ? toJsonLine({ id: exactId(id), duplicate: false }) : String(id));
    return EXIT.ok;
  } catch (error) {
    const there = error instanceof DuplicateJobError ? await findTwin(pool, job, error) : undefined;
    if (there === undefined) throw error;
    // Whoever sets a unique key asks for one such job, and there it is: cron may ask every hour.
    print(json ? toJsonLine({ id: exactId(there.id), duplicate: true }) : String(there.id));
    if (tells(settings))
      warn(`job ${there.id} has this unique key already (it is ${there.status}); nothing was enqueued`);
    return EXIT.ok;
  }
}

/** The job that is there already. A producer that only inserts may not look. */
async function findTwin(pool: Pool, { jobType, uniqueKey = '' }: EnqueueRow, duplicate: DuplicateJobError) {
  try {
    return await findByUniqueKey(pool, jobType, uniqueKey);
  } catch (error) {
    if (!isDenied(error)) throw error;
    const mend = 'to be told which, GRANT SELECT (id, job_type, status, unique_key) to the user of DATABASE_URL';
    throw new ConfigError(`${duplicate.message}; ${mend}, as sql/grants.sql says`, { cause: error });
  }
}

/** Cron mails what is printed: without a terminal only what goes wrong is told, unless more is asked for. */
const tells = ({ logLevel }: Settings): boolean =>
  logLevel === undefined ? process.stderr.isTTY === true : logLevel === 'info' || logLevel === 'debug';

function readOptions({
  queue,
  priority,
  runAt,
  in: delay,
  uniqueKey,
  maxAttempts,
}: EnqueueOptions): Omit<EnqueueRow, 'jobType' | 'payloadText'> {
  if (runAt !== undefined && delay !== undefined)
    throw new UsageError('--run-at and --in both say when; leave one out');
  const delayMs = delay === undefined ? undefined : parseDuration(delay);
  if (delay !== undefined && delayMs === undefined)
    throw new UsageError(`--in "${delay}" is no duration such as 30s, 5m or 2h`);
  return {
    queue,
    priority: readNumber('--priority', priority),
    runAt: runAt === undefined ? undefined : parseRunAt(runAt),
    delayMs,
    uniqueKey,
    maxAttempts: readNumber('--max-attempts', maxAttempts),
  };
}

function readNumber(option: string, word: string | undefined): number | undefined {
  if (word === undefined) return undefined;
  if (!/^[+-]?\d{1,15}$/.test(word)) throw new UsageError(`${option} "${word.slice(0, 40)}" is no whole number`);
  return Number(word);
}

/** The payload as JSON text: given as it is, as `@file`, or as `-` for the standard input; none: NULL. */
function readPayload(given: string | undefined): string | null {
  if (given === undefined) return null;
  const fromFile = given === '-' || given.startsWith('@');
  const json = fromFile ? readText(given === '-' ? 0 : given.slice(1)) : given;
  const fault = findSyntaxFault(json) ?? findUnstorable(json);
  if (fault === undefined) return json;
  const hint = fromFile
    ? ''
    : `; quote it for the shell as '{"key": "value"}', or give @file, or - for the standard input`;
  throw new UsageError(`the payload ${fault}${fault.startsWith('is no JSON') ? hint : ''}`);
}

function readText(from: string | 0): string {
  const name = from === 0 ? 'the standard input' : `the payload file ${from}`;
  let bytes: Buffer;
  try {
    bytes = readFileSync(from);
  } catch (error) {
    throw new UsageError(`${name} cannot be read: ${messageOf(error)}`, { cause: error });
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes); // drops a byte order mark, as editors write it
  } catch (error) {
    throw new UsageError(`${name} is no UTF-8 text`, { cause: error });
  }
}

/** Another worker may know it. But a name that is nearly a known one is nearly always a slip. */
function warnOfTypo(type: string, known: Registry): void {
  const nearest = findNearest(
    type,
    known.types().map((each) => each.type),
  );
  if (nearest !== undefined)
    warn(`no job type "${type}" is known here; did you mean ${nearest}? It is enqueued as it is`);
}

async function requireValid(jobType: JobType, payloadText: string | null): Promise<void> {
  const refused = await findRefusal(jobType, payloadText);
  if (refused !== undefined) throw new UsageError(`${jobType.type}: ${refused}`);
}
