import { ConfigError } from '../errors';
import { readField } from './caller-fields';
import { withLiterals } from './literal';
import type { Pool, Queryable } from './pool';
import type { Parameters } from './statements';

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
  /** Undefined where it is a connection; on a pool each statement has a session of its own. */
  readonly pool: Pool | undefined;
  /** What stands for the connection itself, whichever of its wrappers was given. */
  readonly key: object;
}

/** @throws ConfigError if it is nothing that a statement can be sent to */
export function wrapClient(given: MysqlClient): CallerSession {
  const client = toPromised(given);
  const session = wrapSession(client);
  const pool = typeof client.getConnection === 'function' ? wrapPool(client, session) : undefined;
  return { query: session.query, pool, key: findCore(given) };
}

/** mysql2 makes a new wrapper each time that a connection of its callback API is asked for promises. */
function findCore(given: MysqlClient): object {
  const { connection } = given as { connection?: unknown };
  return typeof connection === 'object' && connection !== null ? connection : given;
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

function wrapSession(client: Promised): Queryable {
  const query = async ({ sql, values = {} }: { sql: string; values?: Parameters }): Promise<unknown> => {
    const isRows = ROW_STATEMENT.test(sql);
    const text = isRows ? ON_MARIADB + sql.replace(ROW_STATEMENT, `$1 ${ON_MYSQL}`) : sql;
    const answer = await client.query({
      sql: withLiterals(text, values),
      values: null, // with no list at all a queryFormat has nothing to put in: even an empty one has a `length`
      namedPlaceholders: false,
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

function wrapPool(client: Promised, { query }: Queryable): Pool {
  const getConnection = async () => {
    const connection = await (client.getConnection as () => Promise<Promised>).call(client);
    return {
      query: wrapSession(connection).query,
      release: () => connection.release?.(),
      destroy: () => connection.destroy?.(),
    };
  };
  return { query, getConnection } as unknown as Pool;
}
