import { writeSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { type Connection, createConnection } from 'mysql2/promise';
import type { ConnectionSettings } from '../config';
import { isConnectionLost } from '../db/faults';
import { CONNECT_TIMEOUT_MS, driverOptions, sessionStatements } from '../db/pool';
import { WORDING } from '../events';
import { closeRun, renewRun } from '../queue/runs';
import { BLOCKED_CHECK_MS, monotonicMs, Pulse } from './pulse';

/** What the thread is started with. */
export interface HeartbeatData {
  database: ConnectionSettings;
  runId: number;
  leaseMs: number;
  graceMs: number;
  pulse: SharedArrayBuffer;
}

/** What it tells. */
export type HeartbeatMessage =
  | { kind: 'renewed' }
  /** The run was closed: another has, or will have, its jobs. */
  | { kind: 'closed' }
  /** The server has not answered for this long. */
  | { kind: 'silent'; forMs: number };

// A job function may block the event loop of the process for as long as it likes: this thread has its own
// loop and its own connection, and the lease holds.
const data = workerData as HeartbeatData;
const pulse = new Pulse(data.pulse);
const tell = (message: HeartbeatMessage): void => parentPort?.postMessage(message);

let connection: Connection | undefined;

async function connect(): Promise<Connection> {
  if (connection !== undefined) return connection;
  const opened = await createConnection(driverOptions(data.database));
  opened.on('error', () => drop(opened));
  try {
    for (const sql of sessionStatements(data.leaseMs)) await opened.query({ sql, timeout: CONNECT_TIMEOUT_MS });
  } catch (error) {
    drop(opened);
    throw error;
  }
  // On a slow network a beat gives up before it is connected, and the next one may have come here first.
  if (connection !== undefined) drop(opened);
  connection ??= opened;
  return connection;
}

function drop(lost: Connection): void {
  lost.destroy();
  if (connection === lost) connection = undefined;
}

/** Renews until the run is closed. Between two beats lies a quarter of the lease, after a failure a tenth of that. */
async function beat(): Promise<void> {
  let answeredAt = performance.now();
  let silentSince: number | undefined;
  for (;;) {
    let wait = data.leaseMs / 4;
    // The process was stopped for longer than a session lives: ask on a new one.
    if (connection !== undefined && performance.now() - answeredAt > data.leaseMs) drop(connection);
    const askedAt = monotonicMs();
    try {
      const open = await within(data.leaseMs / 4, async () => renewRun(await connect(), data.runId, data.leaseMs));
      if (!open) return tell({ kind: 'closed' });
      pulse.setRenewed(askedAt);
      answeredAt = performance.now();
      silentSince = undefined;
      tell({ kind: 'renewed' });
    } catch (error) {
      if (connection !== undefined && isConnectionLost(error)) drop(connection);
      // Not since the last answer: a process that was stopped for an hour has not asked for an hour.
      silentSince ??= performance.now();
      tell({ kind: 'silent', forMs: performance.now() - silentSince });
      wait /= 10;
    }
    await pause(wait);
  }
}

/** A network that swallows packets answers nothing, not even an error. */
async function within<T>(ms: number, ask: () => Promise<T>): Promise<T> {
  const asking = ask();
  const late = new AbortController();
  try {
    return await Promise.race([
      asking,
      pause(ms, undefined, { signal: late.signal }).then((): never => {
        if (connection !== undefined) drop(connection);
        throw Object.assign(new Error('no answer'), { code: 'ETIMEDOUT', fatal: true });
      }),
    ]);
  } finally {
    late.abort();
    asking.catch(() => undefined);
  }
}

/**
 * Ends a process whose loop cannot even notice that its jobs are past their timeouts. Where none runs, what blocks it is
 * something that one has left behind: it would keep the lease, and what is still to be written, for ever.
 */
async function guardLoop(): Promise<void> {
  let seen = -1;
  let blockedMs = 0;
  for (;;) {
    await pause(BLOCKED_CHECK_MS);
    const now = pulse.beats();
    blockedMs = now === seen ? blockedMs + BLOCKED_CHECK_MS : 0;
    seen = now;
    const isOver = pulse.isWatched ? pulse.overdueBy() > data.graceMs : blockedMs > data.leaseMs;
    if (blockedMs >= 2 * BLOCKED_CHECK_MS && isOver) await endProcess(blockedMs, pulse.isWatched);
  }
}

async function endProcess(blockedMs: number, isJobRunning: boolean): Promise<void> {
  const facts = { run_id: data.runId, blocked_ms: blockedMs, is_job_running: isJobRunning };
  const sentence = WORDING['worker.blocked'].say(facts);
  writeSync(2, `rowlock: ${sentence}\n`);
  try {
    // With the run closed, the next tick takes its jobs back and need not wait for the lease.
    await within(2_000, async () => closeRun(await connect(), data.runId, 'error'));
  } finally {
    process.kill(process.pid, 'SIGKILL');
  }
}

void beat();
void guardLoop();
