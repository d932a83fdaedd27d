import { connect, isIP, type Socket } from 'node:net';
import { createPool, type Pool, type PoolConnection } from 'mysql2/promise';
import type { ConnectionSettings } from '../config';
import { text } from './statements';

export type { Pool, PoolConnection };

/** What a statement can be sent to: any connection of the pool, or one held inside a transaction. */
export type Queryable = Pick<Pool, 'query'>;

export interface PoolOptions {
  /** Connections at most. A run needs few: claim, settle, and one for each fenced write of a job. */
  connections: number;
  /** The server frees the locks of a session that has been silent for this long, as a frozen process is. */
  sessionTimeoutMs: number;
}

/** A pool whose sessions all agree on time zone, isolation, SQL mode, and how numbers and JSON arrive. */
export function openPool(settings: ConnectionSettings, options: PoolOptions): Pool {
  const pool = createPool({
    ...driverOptions(settings),
    connectionLimit: options.connections,
    maxIdle: options.connections,
  });
  const session = sessionStatements(options.sessionTimeoutMs);
  pool.pool.on('connection', (connection) => {
    // Queued ahead of whatever the borrower of the new connection sends, so no statement runs without it.
    for (const statement of session) {
      connection.query(statement, (error) => {
        if (error) connection.destroy();
      });
    }
  });
  return pool;
}

/** The driver's options for one server: pinned, since a default that changes would change what a row says. */
export function driverOptions(settings: ConnectionSettings) {
  return {
    ...settings,
    charset: 'utf8mb4',
    timezone: 'Z',
    namedPlaceholders: true,
    supportBigNumbers: true, // a number that a double cannot hold arrives as a string
    jsonStrings: true, // JSON arrives as text, on both families; parsing is the reader's decision
    decimalNumbers: false,
    // affectedRows counts the rows found, also those an UPDATE left as they were: the fence relies on it
    flags: ['FOUND_ROWS'],
    enableKeepAlive: true,
    connectTimeout: 5_000,
    ...(settings.ssl?.verifyIdentity === true && isIP(settings.host) !== 0
      ? { stream: () => connectTo(settings) }
      : {}),
  };
}

/**
 * Where the host is an address, mysql2 gives TLS no name to look for in the certificate, and Node takes `localhost` for it:
 * the server's own certificate is refused, and one that anybody has for his localhost passes. Node asks the socket first.
 */
function connectTo({ host, port }: ConnectionSettings): Socket {
  const socket = connect({ host, port, noDelay: true, keepAlive: true });
  return Object.assign(socket, { _host: host });
}

/** What every session of Rowlock sets before its first statement. */
export function sessionStatements(sessionTimeoutMs: number): string[] {
  const seconds = String(Math.max(5, Math.ceil(sessionTimeoutMs / 1000)));
  return [text('set_session').replace(':sessionTimeoutSeconds', seconds), text('set_isolation')];
}
