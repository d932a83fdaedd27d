import { ConfigError } from '../errors';
import { withLiterals } from './literal';
import type { Pool, PoolConnection, Queryable } from './pool';
import { insert, type Parameters } from './statements';
import { transaction } from './transaction';

/**
 * A pool or a connection of the caller's: mysql2's, of its promise or its callback API, whatever its options,
 * or the `tx` that a job function gets. Rowlock changes none of the session's settings.
 */
export interface MysqlClient {
  query(options: { sql: string }): unknown;
  execute(options: { sql: string }): unknown;
}

/*
 * One statement in UTC and with Rowlock's own sql_mode; what the session has, stays. FROM_UNIXTIME alone is not enough:
 * it gives the session's local time, and in the hour that comes twice in autumn that names the later of two moments,
 * so that every job of the first was due an hour late.
 */

/** For MariaDB; to MySQL it is a comment. */
export const ON_MARIADB =
  "/*M! SET STATEMENT time_zone = '+00:00', sql_mode = 'STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO' FOR */ ";

/** For MySQL, 8.0.17 or newer; to MariaDB it is a comment. */
const ON_MYSQL =
  "/*+ SET_VAR(time_zone = '+00:00') SET_VAR(sql_mode = 'STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO') */";

const ROW_STATEMENT = /^(SELECT|INSERT|UPDATE|DELETE)\b/;

/** A session in which nothing of the caller's options and settings counts. */
export interface CallerSession extends Queryable {
  /** Undefined where it is a pool: then each statement has a session of its own. */
  readonly pool: Pool | undefined;
}

/** @throws ConfigError if it is nothing that a statement can be sent to */
export function adoptClient(given: MysqlClient): CallerSession {
  const client = toPromised(given);
  const session = adoptSession(client);
  const pool = typeof client.getConnection === 'function' ? adoptPool(client, session) : undefined;
  return { query: session.query, pool };
}

/** What is asked of the caller's client once it is known to answer with promises. */
interface Promised {
  query(options: object): Promise<unknown>;
  getConnection?(): Promise<Promised>;
  release?(): void;
  destroy?(): void;
}

/** Clients of mysql2's callback API have a way to its promises; those of other drivers have neither. */
function toPromised(given: unknown): Promised {
  const client = given as { query?: unknown; execute?: unknown; promise?: () => Promised } | null | undefined;
  if (typeof client?.query !== 'function' || typeof client.execute !== 'function') {
    throw new ConfigError(
      'createQueue takes a mysql2 pool or connection, or a URL such as mysql://user:password@host/db',
    );
  }
  return typeof client.promise === 'function' ? client.promise() : (client as unknown as Promised);
}

function adoptSession(client: Promised): Queryable {
  const query = async ({ sql, values = {} }: { sql: string; values?: Parameters }): Promise<unknown> => {
    const isRows = ROW_STATEMENT.test(sql);
    const text = isRows ? ON_MARIADB + sql.replace(ROW_STATEMENT, `$1 ${ON_MYSQL}`) : sql;
    const answer = await client.query({
      sql: withLiterals(text, values),
      values: [], // an empty list: no driver's option has anything to put in, whatever the text holds
      typeCast: readField,
      rowsAsArray: false,
      nestTables: false,
    });
    if (!isMysql2(answer))
      throw new ConfigError('createQueue takes a mysql2 pool or connection; this is one of another driver');
    return answer;
  };
  return { query } as unknown as Queryable;
}

const isMysql2 = (answer: unknown): boolean =>
  Array.isArray(answer) &&
  (Array.isArray(answer[0]) || (typeof answer[0] === 'object' && answer[0] !== null && 'affectedRows' in answer[0]));

function adoptPool(client: Promised, { query }: Queryable): Pool {
  const getConnection = async () => {
    const connection = await (client.getConnection as () => Promise<Promised>).call(client);
    return {
      query: adoptSession(connection).query,
      release: () => connection.release?.(),
      destroy: () => connection.destroy?.(),
    };
  };
  return { query, getConnection } as unknown as Pool;
}

/** A column as mysql2 gives it to a `typeCast` of one's own. */
interface Field {
  type: string;
  string(): string | null;
  buffer(): Buffer | null;
}

const INTEGERS = new Set(['TINY', 'SHORT', 'LONG', 'INT24', 'LONGLONG', 'YEAR']);

/** Values as Rowlock's own sessions have them: JSON as text, times in UTC, no integer rounded. */
function readField(field: Field): unknown {
  if (field.type === 'JSON') return field.buffer()?.toString('utf8') ?? null; // mysql2 takes it for binary
  const text = field.string();
  if (text === null) return null;
  if (INTEGERS.has(field.type)) return Number.isSafeInteger(Number(text)) ? Number(text) : text;
  if (field.type === 'DOUBLE' || field.type === 'FLOAT') return Number(text);
  if (field.type === 'TIMESTAMP' || field.type === 'DATETIME') return new Date(`${text.replace(' ', 'T')}Z`);
  return text;
}

/** Flags that the server sends along with each answer. */
const IN_TRANSACTION = 1;
const AUTOCOMMIT = 2;

/**
 * Runs `body` as a whole: all of it is done, or nothing. On a pool that is a transaction of its own, tried once. On a
 * connection it is a part of the transaction that the caller has open there, which goes on whatever becomes of
 * the part; without one, a transaction.
 */
export async function wholly<T>(on: CallerSession, body: (tx: PoolConnection) => Promise<T>): Promise<T> {
  if (on.pool !== undefined) return transaction(on.pool, body, { tries: 1 });
  const connection = on as unknown as PoolConnection;
  const bounds = (await isInTransaction(connection)) ? WITHIN : ALONE;
  await connection.query({ sql: bounds.begin });
  try {
    const value = await body(connection);
    await connection.query({ sql: bounds.end });
    return value;
  } catch (error) {
    // After a deadlock there is nothing left to undo, and without a connection the server does it: the first error counts.
    await connection.query({ sql: bounds.undo }).catch(() => undefined);
    throw error;
  }
}

const ALONE = { begin: 'START TRANSACTION', end: 'COMMIT', undo: 'ROLLBACK' };

/** Undoes no more than what the library has done itself since then. */
export const UNDO_PART = 'ROLLBACK TO SAVEPOINT rowlock_part';

const WITHIN = { begin: 'SAVEPOINT rowlock_part', end: 'RELEASE SAVEPOINT rowlock_part', undo: UNDO_PART };

/** Without autocommit a transaction begins by itself, and its end is the caller's to choose. */
async function isInTransaction(on: Queryable): Promise<boolean> {
  const { serverStatus } = await insert(on, 'ask_nothing');
  return (serverStatus & IN_TRANSACTION) !== 0 || (serverStatus & AUTOCOMMIT) === 0;
}
