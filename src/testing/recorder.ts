import type { Pool, PoolConnection } from '../db/pool';
import { nameOf, type Parameters } from '../db/statements';
import type { JobId } from '../queue/job';
import { parseJson } from '../worker/payload';

/** A job that the function has enqueued, as its row would stand in the table. */
export interface RecordedJob {
  id: JobId;
  type: string;
  /** Null also where none was given. */
  payload: unknown;
  queue: string;
  priority: number;
  runAt: Date;
  uniqueKey: string | null;
  maxAttempts: number | null;
}

/** What the function has written so far. What a transaction undid is not among it. */
export interface Written {
  /** What `ctx.save` stored, the newest last. */
  saves: unknown[];
  enqueued: RecordedJob[];
  /** JSON text; undefined: `ctx.complete` has committed nothing. */
  result: string | null | undefined;
}

/** Anything that takes the function's own statements: a connection of mysql2's promise API, or a stand-in for one. */
export interface TestTx {
  query(...args: never[]): unknown;
  execute?(...args: never[]): unknown;
}

/** A transaction that is open: none of it counts before its COMMIT. */
type Open = (() => void)[];

/** Writes at once, or with the transaction that it is part of. */
type Keep = (write: () => void) => void;

/** What the server would say: rows, or its account of a change. */
type Answer = (values: Parameters, keep: Keep) => object;

const ONE_ROW = { affectedRows: 1 };

/**
 * Stands in for the database as far as one attempt at one job goes: it answers the statements that `ctx` sends, by
 * their names, and passes on those of the function itself. The attempt holds its job to the end.
 */
export class Recorder {
  readonly written: Written = { saves: [], enqueued: [], result: undefined };
  private stored = 0;
  private nextId = 1;
  private readonly tx: TestTx | undefined;
  private readonly now: Date;

  /** To each statement that an attempt sends where it may end well, by its name. */
  private readonly answers: Record<string, Answer> = {
    read_insert_terms: () => [{ now: this.now, step: 1, autocommit: 1, largestPacket: LARGEST_PACKET }],
    insert_jobs: ({ rows }, keep) => this.insert(rows as Row[], keep),
    insert_plain_jobs: ({ rows }, keep) => {
      const plain = rows as [string, string | null, string, number][];
      return this.insert(
        plain.map((row) => [...row, this.now, null, null]),
        keep,
      );
    },
    lock_job: () => [{ saves: this.stored }],
    save_checkpoint: ({ checkpoint }, keep) => {
      keep(() => {
        this.stored++;
        this.written.saves.push(parseJson(String(checkpoint)));
      });
      return ONE_ROW;
    },
    lock_open_run: ({ runId }) => [{ id: runId }],
    save_progress: () => ONE_ROW,
    settle_jobs: ({ outcomes }, keep) => {
      const [{ result }] = JSON.parse(String(outcomes)) as [{ result: string | null }];
      keep(() => {
        this.written.result = result;
      });
      return ONE_ROW;
    },
    complete_jobs: (_, keep) => {
      keep(() => {
        this.written.result = null;
      });
      return ONE_ROW;
    },
    count_outcomes: () => ONE_ROW,
  };

  constructor(tx: TestTx | undefined, now: Date) {
    this.tx = tx;
    this.now = now;
  }

  /** What `ctx` takes for the pool of its run: of mysql2's some forty members those that it calls. */
  get pool(): Pool {
    return {
      query: (statement: Statement) => this.own(statement, undefined),
      getConnection: () => Promise.resolve(this.connect()),
    } as unknown as Pool;
  }

  private connect(): PoolConnection {
    let open: Open = [];
    const query = async (given: string | Statement, values?: unknown): Promise<unknown> => {
      const { sql } = typeof given === 'string' ? { sql: given } : given;
      if (sql === 'START TRANSACTION' || sql === 'ROLLBACK') open = [];
      else if (sql === 'COMMIT') for (const keep of open.splice(0)) keep();
      else if (isOwn(given)) return this.own(given, open);
      else if (!/^(RELEASE )?SAVEPOINT rowlock_call$/.test(sql)) return this.pass('query', given, values);
      return [{ affectedRows: 0 }, undefined];
    };
    const execute = (given: string | Statement, values?: unknown) => this.pass('execute', given, values);
    return { query, execute, release: () => undefined, destroy: () => undefined } as unknown as PoolConnection;
  }

  /** A statement of Rowlock's own. One without an answer here is a fault of Rowlock, and no success. */
  private async own({ sql, values = {} }: Statement, open: Open | undefined): Promise<unknown> {
    const name = nameOf(sql) ?? 'without a name';
    const answer = this.answers[name];
    if (answer === undefined) throw new Error(`runJob has no answer to Rowlock's own statement ${name}; report it`);
    return [answer(values, (write) => (open === undefined ? write() : open.push(write))), undefined];
  }

  private insert(rows: Row[], keep: Keep): { insertId: number } {
    const insertId = this.nextId;
    this.nextId += rows.length;
    const jobs = rows.map((row, index) => toJob(insertId + index, row));
    keep(() => {
      this.written.enqueued.push(...jobs);
    });
    return { insertId };
  }

  /** A statement of the function's own. */
  private async pass(method: 'query' | 'execute', given: unknown, values: unknown): Promise<unknown> {
    const send = this.tx?.[method] as ((...args: unknown[]) => unknown) | undefined;
    if (send === undefined) {
      throw new Error(`the function writes to its database; give runJob a tx with a ${method} that takes it`);
    }
    return values === undefined ? send.call(this.tx, given) : send.call(this.tx, given, values);
  }
}

interface Statement {
  sql: string;
  values?: Parameters;
}

/** Rowlock sends its statements as objects: a function may send the text of one, such as `SELECT 1`, for itself. */
const isOwn = (given: string | Statement): given is Statement =>
  typeof given === 'object' && nameOf(given.sql) !== undefined;

/** The columns of insert_jobs, in order. */
type Row = [string, string | null, string, number, Date, string | null, number | null];

const toJob = (id: number, [type, payload, queue, priority, runAt, uniqueKey, maxAttempts]: Row): RecordedJob => ({
  id,
  type,
  payload: parseJson(payload),
  queue,
  priority,
  runAt,
  uniqueKey,
  maxAttempts,
});

/** As a server of today has it. */
const LARGEST_PACKET = 64 * 1024 * 1024;
