import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { type Connection, createConnection, type FieldPacket } from 'mysql2';
import { type ConnectionSettings, serverName } from '../config';
import { driverOptions } from '../db/pool';
import { text } from '../db/statements';
import { codeOf, messageOf } from '../errors';

/** The rows of a query: each an array with a Buffer, or null, for each column, as the server sent it. */
export interface Rows {
  columns: FieldPacket[];
  stream: Readable;
}

const SETUP_TIMEOUT_MS = 30_000;
/** Rows held in memory while the reader takes them. */
const ROWS_AHEAD = 256;

/**
 * Sends a query on a connection of its own, outside of any transaction and unable to write, and hands its
 * rows to `read` as they come: what is not read yet stays on the server. A query that was aborted, or whose
 * reader failed, is ended there too.
 */
export async function withRows<T>(
  settings: ConnectionSettings,
  sql: string,
  signal: AbortSignal,
  read: (rows: Rows) => Promise<T>,
): Promise<T> {
  const connection = await connect(settings);
  let fault: unknown;
  let unread = true;
  try {
    signal.throwIfAborted();
    const query = connection.query({ sql, namedPlaceholders: false, rowsAsArray: true, typeCast: false });
    const stream = query.stream({ highWaterMark: ROWS_AHEAD });
    const fail = (error: unknown) => {
      fault ??= error;
      stream.destroy(error as Error);
    };
    query.on('error', fail);
    // Of a lost connection only the connection is told: its query would wait for ever.
    connection.on('error', fail);
    // The reader is told of it, where there is one still; without any listener the process would end.
    stream.on('error', () => undefined);
    query.once('end', () => {
      unread = false;
    });
    const [columns] = (await once(stream, 'fields', { signal })) as [FieldPacket[] | undefined];
    if (columns === undefined) throw new Error(NOT_ONE_SELECT);
    stream.on('fields', () => stream.destroy(new Error(NOT_ONE_SELECT)));
    return await read({ columns, stream });
  } catch (error) {
    throw fault === undefined ? error : explain(fault, settings);
  } finally {
    if (unread && fault === undefined) await stopQuery(settings, connection);
    close(connection);
  }
}

const NOT_ONE_SELECT = "the query's file must hold one SELECT, and nothing else";

async function connect(settings: ConnectionSettings): Promise<Connection> {
  const connection = createConnection(driverOptions(settings));
  // The statement that meets an error is told of it; this keeps the connection from telling the process.
  connection.on('error', () => close(connection));
  try {
    const setup = connection.promise();
    await setup.connect();
    for (const name of ['set_report_session', 'set_read_only']) {
      await setup.query({ sql: text(name), timeout: SETUP_TIMEOUT_MS });
    }
    return connection;
  } catch (error) {
    close(connection);
    throw explain(error, settings);
  }
}

/** The driver's own way only says goodbye, and goes on reading whatever the server still has to send. */
function close(connection: Connection): void {
  connection.destroy();
  (connection as Connection & { stream: { destroy(): void } }).stream.destroy();
}

/** The first connection must still be open: its number could be another's else. */
async function stopQuery(settings: ConnectionSettings, { threadId }: Connection): Promise<void> {
  let killer: Connection | undefined;
  try {
    killer = await connect(settings);
    await killer.promise().query({ sql: text('kill_query'), values: { threadId }, timeout: SETUP_TIMEOUT_MS });
  } catch {
    // Not reachable, or the query has ended by itself: closing its connection is all that is left to do.
  } finally {
    if (killer !== undefined) close(killer);
  }
}

function explain(error: unknown, settings: ConnectionSettings): Error {
  const code = codeOf(error);
  const words = messageOf(error);
  return new Error(
    `the query's database at ${serverName(settings)}: ${code === undefined || words.includes(code) ? words : `${code}: ${words}`}`,
    {
      cause: error,
    },
  );
}
