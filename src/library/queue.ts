import type { MysqlClient } from '../db/caller';
import { inTurn, wholly } from '../db/wholly';
import { cancelJobs, cancelWithin } from '../queue/cancel';
import { readHealth } from '../queue/health';
import { type ListedJob, listJobs, showJob } from '../queue/inspect';
import type { JobId } from '../queue/job';
import { inPortions } from '../queue/lock';
import { STATUSES, type Status } from '../queue/queues';
import { reviveJobs, reviveWithin } from '../queue/retry';
import type { JobDefinition } from '../worker/define';
import { createRegistry } from '../worker/registry';
import {
  type Cancelled,
  type Job,
  type QueueStatus,
  type Retried,
  toCancelled,
  toJob,
  toRetried,
  toStatus,
} from './answers';
import { type JobOf, readJob } from './check-job';
import { requireCallOptions, requireKeys, requireText } from './check-options';
import { borrowSession, openSession, type Session } from './client-session';
import { enqueueRows } from './enqueue-rows';
import { readId, readIds } from './job-ids';

/** What a queue knows. */
export interface QueueOptions<Definitions extends readonly JobDefinition[] = readonly JobDefinition[]> {
  /**
   * The job types that are enqueued by it, and no others: each gives its jobs their queue and priority, their payload
   * is checked by its schema before anything is inserted, and TypeScript knows both. Left out: any type.
   */
  jobs?: Definitions;
  /** Connections at most of a pool that the queue opens itself. @default 5 */
  connections?: number;
}

/** Where one call sends its statements to. */
export interface CallOptions {
  /**
   * A mysql2 connection of yours: what is done becomes part of the transaction that is open on it, and is committed
   * or undone with it. Also the `tx` of `ctx.save` and `ctx.complete`. @default what the queue was created on
   */
  on?: MysqlClient;
}

/** Which jobs are listed. */
export interface ListOptions {
  /** @default any */
  status?: Status;
  /** @default any */
  type?: string;
  /** @default any */
  queue?: string;
  /** At most 100,000. @default 100 */
  limit?: number;
}

/**
 * Rowlock's queue as an app sees it. Beside the errors named here each call throws what mysql2 throws, with its `code`
 * and `errno` as they are, and without its statement, which has the payload in it: a deadlock is yours to answer, as its
 * transaction is.
 *
 * @throws ConfigError (`ROWLOCK_CONFIG`) from each call, where the tables are missing
 * @throws TypeError from each call, for an option that it does not know, and for `{ on: undefined }`
 */
export interface Queue<Definitions extends readonly JobDefinition[] = readonly JobDefinition[]> {
  /**
   * Enqueues a job and answers with its id. Nothing is tried again: after a lost answer nobody knows whether the job
   * is there. Who cannot live with that gives it a unique key.
   *
   * @throws DuplicateJobError (`ROWLOCK_DUPLICATE_JOB`) if a job of this type has its unique key; a transaction that is
   * open goes on without it
   * @throws UnfitJobError (`ROWLOCK_UNFIT_JOB`) if the type's schema refuses the payload, or the table cannot hold the job
   */
  enqueue(job: JobOf<Definitions[number]>, options?: CallOptions): Promise<JobId>;
  /**
   * Enqueues any number of jobs, all or none of them, and answers with their ids, in order. 500 are one INSERT. A
   * transaction of yours that is open goes on either way.
   *
   * @throws DuplicateJobError (`ROWLOCK_DUPLICATE_JOB`), UnfitJobError (`ROWLOCK_UNFIT_JOB`)
   */
  enqueueMany(jobs: readonly JobOf<Definitions[number]>[], options?: CallOptions): Promise<JobId[]>;
  /** One job; undefined if there is none of this id. @throws TypeError for what is no id */
  get(id: JobId, options?: CallOptions): Promise<Job | undefined>;
  /**
   * The newest jobs first, without their payloads.
   *
   * @throws RangeError for a limit or a status that is none
   * @throws TypeError for a type or a queue that is no text
   */
  list(wanted?: ListOptions): Promise<ListedJob[]>;
  /**
   * How the queue is doing: what `rowlock status` tells. Reads through indexes, so it may be asked every minute.
   *
   * @param queue this one. @default all
   */
  status(queue?: string): Promise<QueueStatus>;
  /**
   * Makes failed jobs pending again, with no attempt charged; also cancelled ones. Answers for each id, each once.
   *
   * @throws TypeError for what is no id
   */
  retry(ids: JobId | readonly JobId[], options?: CallOptions): Promise<Retried[]>;
  /**
   * Ends pending jobs at once, and asks for the end of running ones. Answers for each id, each once. The unique key of
   * a type with `unique: 'active'` is freed only if its definition is among `jobs`.
   *
   * @throws TypeError for what is no id
   */
  cancel(ids: JobId | readonly JobId[], options?: CallOptions): Promise<Cancelled[]>;
  /** Closes the pool that the queue has opened; a pool or connection of yours stays open. */
  close(): Promise<void>;
  /** The same, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

const CONNECTIONS = 5;
const LISTED = 100;
const LISTABLE = ['status', 'type', 'queue', 'limit'];
const KNOWN = ['jobs', 'connections'];
const LISTED_AT_MOST = 100_000;

/**
 * A queue on a mysql2 pool or connection of yours, of the promise or the callback API, whatever its options; or on a
 * URL such as `mysql://user:password@host:3306/database`, for which it opens a pool of its own: close it, or the
 * process does not end. Nothing is sent before the first call. Calls on one connection are done one after another. On one
 * that is outside of a transaction, statements of your own that are in flight beside a `retry`, a `cancel` or an
 * `enqueueMany` of more than one INSERT become part of it: done or undone with it.
 *
 * ```ts
 * const queue = createQueue(pool, { jobs: [emailSend] });
 * await queue.enqueue({ type: 'email.send', payload: { to: 'ann@example.com' } }, { on: connection });
 * ```
 *
 * @throws ConfigError (`ROWLOCK_CONFIG`) for another thing, a wrong URL, or definitions with faults: names them all
 * @throws TypeError for an option that it does not know
 */
export function createQueue<const Definitions extends readonly JobDefinition[] = readonly JobDefinition[]>(
  on: MysqlClient | string | URL,
  options: QueueOptions<Definitions> = {},
): Queue<Definitions> {
  requireKeys(options, KNOWN, `createQueue takes ${KNOWN.join(', ')}`);
  const { jobs, connections = CONNECTIONS } = options as QueueOptions<Definitions>;
  const known = createRegistry(jobs ?? [], 'the jobs of createQueue');
  const home = typeof on === 'string' || on instanceof URL ? openSession(String(on), connections) : borrowSession(on);
  const readJobs = async (given: readonly JobOf<Definitions[number]>[]) => {
    const rows = [];
    for (const job of given) rows.push(await readJob(job, known, jobs !== undefined));
    return rows;
  };

  const queue: Queue<Definitions> = {
    async enqueue(job, options) {
      const rows = await readJobs([job]);
      const [id] = await ask(home, options, (session) => enqueueRows(session, rows));
      return id as JobId;
    },
    async enqueueMany(given, options) {
      requireCallOptions(options);
      const rows = await readJobs(given);
      if (rows.length === 0) return [];
      return ask(home, options, (session) => enqueueRows(session, rows));
    },
    async get(id, options) {
      const wanted = readId(id);
      const found = await ask(home, options, ({ on }) => showJob(on, wanted));
      return found && toJob(found.job);
    },
    async list(wanted = {}) {
      requireKeys(wanted, LISTABLE, `list takes ${LISTABLE.join(', ')}`);
      const { status, type, queue, limit = LISTED } = wanted as ListOptions;
      requireListable(status, limit);
      requireText('type', type);
      requireText('queue', queue);
      return ask(home, undefined, ({ on }) => listJobs(on, { status, type, queue, limit }));
    },
    async status(queue) {
      requireText('queue', queue);
      return toStatus(await ask(home, undefined, ({ on }) => readHealth(on, queue)));
    },
    async retry(ids, options) {
      const wanted = readIds(ids);
      const revivals = await ask(home, options, ({ on }) =>
        on.pool === undefined ? inParts(on, wanted, reviveWithin) : reviveJobs(on.pool, wanted),
      );
      return revivals.map(toRetried);
    },
    async cancel(ids, options) {
      const wanted = readIds(ids);
      const cancellations = await ask(home, options, ({ on }) =>
        on.pool === undefined
          ? inParts(on, wanted, (tx, part) => cancelWithin(tx, part, known.freesKey))
          : cancelJobs(on.pool, wanted, known.freesKey),
      );
      return cancellations.map(toCancelled);
    },
    close: () => home.close(),
    [Symbol.asyncDispose]: () => home.close(),
  };
  return queue;
}

/** Asks what the queue was created on, or what the caller names. */
async function ask<T>(
  home: Session,
  options: CallOptions | undefined,
  question: (session: Session) => Promise<T>,
): Promise<T> {
  requireCallOptions(options);
  const session = options?.on === undefined ? home : borrowSession(options.on);
  try {
    return await inTurn(session.on, () => question(session));
  } catch (error) {
    throw session.explain(error);
  }
}

type Part<T> = (tx: Session['on'], ids: readonly JobId[]) => Promise<T[]>;

const inParts = <T>(on: Session['on'], ids: readonly JobId[], part: Part<T>): Promise<T[]> =>
  wholly(on, async () => {
    const all: T[] = [];
    for (const portion of inPortions(ids)) all.push(...(await part(on, portion)));
    return all;
  });

function requireListable(status: Status | undefined, limit: number): void {
  if (status !== undefined && !STATUSES.includes(status))
    throw new RangeError(`no job is "${String(status)}"; give one of ${STATUSES.join(', ')}`);
  if (!Number.isInteger(limit) || limit < 1 || limit > LISTED_AT_MOST) {
    throw new RangeError(`limit ${limit} is no whole number from 1 to ${LISTED_AT_MOST}`);
  }
}
