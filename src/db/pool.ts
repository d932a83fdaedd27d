import { connect, isIP, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { PoolConnection as DriverConnection } from 'mysql2';
import { createPool, type Pool, type PoolConnection, type QueryOptions } from 'mysql2/promise';
import type { ConnectionSettings } from '../config';
import { isConnectionLost, isSilence, isWriteRefused } from './faults';
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

/** A new connection is given up if the server takes longer than this for its greeting, or for one of its settings. */
export const CONNECT_TIMEOUT_MS = 5_000;

/** A pool whose sessions all agree on time zone, isolation, SQL mode, and how numbers and JSON arrive. */
export function openPool(settings: ConnectionSettings, options: PoolOptions): Pool {
  const pool = createPool({
    ...driverOptions(settings),
    connectionLimit: options.connections,
    maxIdle: options.connections,
  });
  watchIdle(pool);
  const session = sessionStatements(options.sessionTimeoutMs);
  pool.pool.on('connection', (connection) => {
    // Queued ahead of whatever the borrower of the new connection sends, so no statement runs without it.
    for (const sql of session) {
      connection.query({ sql, timeout: CONNECT_TIMEOUT_MS }, (error) => {
        if (error) endAtOnce(connection);
      });
    }
  });
  return givingUpTheSilent(pool);
}

/**
 * Tells whoever waits for this connection, too. The driver's own destroy() tells nobody, and what is queued behind a
 * setting that got no answer has no timeout yet: it would be waited for for ever.
 */
function endAtOnce(connection: object): void {
  if ('stream' in connection && connection.stream instanceof Duplex) connection.stream.destroy();
}

/** Connections that nobody uses just now, by pool. */
const idle = new WeakMap<Pool, Set<DriverConnection>>();

/** The driver tells who is in use, and has no list of the others. */
function watchIdle(pool: Pool): void {
  const connections = new Set<DriverConnection>();
  idle.set(pool, connections);
  pool.pool.on('acquire', (connection) => connections.delete(connection));
  pool.pool.on('release', (connection) => connections.add(connection));
}

/**
 * To be told of each error that made a connection useless. Where one got no answer the others have lain in the same network:
 * without this a run would ask each of them, for 30 s, one after the other.
 */
export function forgetSilent(pool: Pool, error: unknown): void {
  if (!isSilence(error)) return;
  const connections = idle.get(pool);
  for (const connection of connections ?? []) connection.destroy();
  connections?.clear();
}

/**
 * The driver's own pool.query never gives back a connection whose statement was given up. After four of them a run would
 * wait for a free one for ever, with a heartbeat that renews its lease and a slot that no other run gets.
 */
function givingUpTheSilent(pool: Pool): Pool {
  const query = async (options: QueryOptions, values?: unknown[]) => {
    const connection = await pool.getConnection();
    try {
      const answer = await connection.query(options, values);
      connection.release();
      return answer;
    } catch (error) {
      // One that takes no writes may be a primary of yesterday: the next connection asks anew which it is.
      if (isConnectionLost(error) || isWriteRefused(error)) connection.destroy();
      else connection.release();
      forgetSilent(pool, error);
      throw error;
    }
  };
  return Object.assign(pool, { query });
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
    connectTimeout: CONNECT_TIMEOUT_MS,
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
