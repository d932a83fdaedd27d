import { type CallerSession, type MysqlClient, wrapClient } from '../db/caller';
import { explain, isMissingTable } from '../db/faults';
import { sizeAsLiteral } from '../db/literal';
import { openPool } from '../db/pool';
import { ConfigError } from '../errors';
import { type SizeOf, sizeInStatement } from '../queue/new-job';
import { parseServerUrl, serverName } from '../server-url';

/** Where a queue sends its statements to. */
export interface Session {
  on: CallerSession;
  /** Bytes of a payload in a statement. */
  sizeOf: SizeOf;
  /** The driver's error with its mend, where there is one. */
  explain(error: unknown): unknown;
  close(): Promise<void>;
}

/** As the server's own default: a pool that is idle over night is still one in the morning. */
const SESSION_TIMEOUT_MS = 8 * 3_600_000;

/** A pool of the queue's own. */
export function openSession(url: string, connections: number): Session {
  const settings = parseServerUrl(url);
  if (typeof settings === 'string') throw new ConfigError(`the URL of createQueue ${settings}`);
  const pool = openPool(settings, { connections, sessionTimeoutMs: SESSION_TIMEOUT_MS });
  let closing: Promise<void> | undefined;
  return {
    on: { query: pool.query.bind(pool), pool, key: pool },
    sizeOf: sizeInStatement,
    explain: (error) => explain(error, serverName(settings)),
    close: () => (closing ??= pool.end()),
  };
}

/** A pool or a connection of the caller's, who closes it. What it says is the caller's to hear as it is. */
export function borrowSession(client: MysqlClient): Session {
  return {
    on: wrapClient(client),
    // Also as the worker gets it: what is enqueued must fit into an answer.
    sizeOf: (json) => (json === null ? 0 : Math.max(sizeAsLiteral(json), sizeInStatement(json))),
    explain: (error) => (isMissingTable(error) ? explain(error, '') : error),
    close: () => Promise.resolve(),
  };
}
