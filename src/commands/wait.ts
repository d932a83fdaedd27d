import { setTimeout as pause } from 'node:timers/promises';
import { type ConnectionSettings, requireDatabase, type Settings, serverName } from '../config';
import { explain } from '../db/faults';
import { driverOptions } from '../db/pool';
import { select } from '../db/statements';
import { parseDuration } from '../duration';
import { EXIT, type ExitCode, UnreachableError, UsageError } from '../errors';

const POLL_MS = 500;

/** One try at most takes this long: a host that swallows packets must not use up the whole time. */
const LONGEST_TRY_MS = 5_000;

/** `rowlock wait [--timeout 60s]`: until the database answers a query. A refused login is told at once. */
export async function waitCommand(settings: Settings, { timeout }: { timeout: string }): Promise<ExitCode> {
  const database = requireDatabase(settings);
  const timeoutMs = parseDuration(timeout);
  if (timeoutMs === undefined) throw new UsageError(`--timeout "${timeout}" is no duration such as 30s or 5m`);
  const end = performance.now() + timeoutMs;
  for (;;) {
    const fault = await findFault(database, Math.max(100, Math.min(LONGEST_TRY_MS, end - performance.now())));
    if (fault === undefined) return EXIT.ok;
    if (!(fault instanceof UnreachableError) || performance.now() >= end) throw fault;
    await pause(Math.max(0, Math.min(POLL_MS, end - performance.now())));
  }
}

async function findFault(database: ConnectionSettings, tryMs: number): Promise<unknown> {
  const { createConnection } = require('mysql2/promise') as typeof import('mysql2/promise');
  try {
    const connection = await createConnection({ ...driverOptions(database), connectTimeout: tryMs });
    try {
      await select(connection, 'answer');
      return undefined;
    } finally {
      connection.destroy();
    }
  } catch (error) {
    return explain(error, serverName(database));
  }
}
