import { chmod, rename, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { type ConnectionSettings, type Settings, serverName } from '../config';
import { explain } from '../db/faults';
import { openPool } from '../db/pool';
import { codeOf, EXIT, messageOf, UnreachableError } from '../errors';
import type { Emit } from '../events';
import { type Numbers, readNumbers } from '../queue/numbers';
import { describeSelection } from '../worker/selection';
import { type RunEnd, toPrometheus } from './prometheus';

/** A server that is slow to answer holds up the end of a run for no longer than this. */
const READ_AT_MOST_MS = 5_000;

/** Everybody may read it: the exporter is another user. */
const MODE = 0o644;

/** Writes the numbers of the queue, and how this run went. What goes wrong is told, and changes nothing. */
export async function writeMetricsFile(path: string, settings: Settings, run: RunEnd, emit: Emit): Promise<void> {
  const numbers = await readIfAnswered(settings.database, run, emit);
  const database = settings.database?.database;
  const selection = describeSelection(settings.run);
  try {
    await replaceFile(path, await toPrometheus({ database, selection, numbers, run }));
  } catch (error) {
    emit('metrics.not_written', { path, why: codeOf(error) ?? messageOf(error) });
  }
}

async function readIfAnswered(
  database: ConnectionSettings | undefined,
  { exitCode }: RunEnd,
  emit: Emit,
): Promise<Numbers | undefined> {
  if (database === undefined || exitCode === EXIT.unreachable) return undefined;
  try {
    return await readInTime(database);
  } catch (error) {
    // A run that failed has told why, and this is most likely the same.
    if (exitCode === EXIT.ok) emit('metrics.incomplete', { why: messageOf(explain(error, serverName(database))) });
    return undefined;
  }
}

async function readInTime(database: ConnectionSettings): Promise<Numbers> {
  const pool = openPool(database, { connections: 1, sessionTimeoutMs: READ_AT_MOST_MS });
  try {
    return await Promise.race([readNumbers(pool), failLate(serverName(database))]);
  } finally {
    pool.pool.end(() => undefined); // not waited for, nor heard: the server may be the one that does not answer
  }
}

async function failLate(server: string): Promise<never> {
  await pause(READ_AT_MOST_MS, undefined, { ref: false });
  throw new UnreachableError(`the database server at ${server} does not answer within ${READ_AT_MOST_MS / 1_000} s`);
}

/**
 * Whoever reads the file finds it whole, the old one or the new one. The name in between belongs to this process
 * alone, also where processes of several containers share the folder, and an exporter does not read it.
 */
async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.${hostname()}.${process.pid}.tmp`;
  try {
    await writeFile(temporary, text);
    await chmod(temporary, MODE); // whatever the umask says
    await rename(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
}
