import type { Settings } from '../config';
import { EXIT, type ExitCode } from '../errors';
import { findNearest } from '../nearest';
import { type Health, type LiveRun, type QueueState, readHealth } from '../queue/health';
import { findQueues } from '../queue/queues';
import { judge, type Verdict } from '../verdict';
import { sayCount, sayDuration, sayName, sayTime } from '../words';
import { print, toJsonLine, toTable, warn } from './print';
import { withQueue } from './session';

export interface StatusOptions {
  json?: boolean;
  check?: boolean;
  queue?: string;
}

/** `rowlock status [--queue QUEUE] [--check] [--json]`: with `--check` exit 1 when it is not OK. */
export function statusCommand(
  settings: Settings,
  { json = false, check = false, queue }: StatusOptions,
): Promise<ExitCode> {
  return withQueue(settings, async (pool) => {
    const health = await readHealth(pool, queue);
    const verdict = judge(health);
    print(json ? toJsonLine(toPlain(health, verdict)) : describe(health, verdict));
    if (queue !== undefined && health.queues.every(isEmpty)) {
      const nearest = findNearest(queue, await findQueues(pool));
      warn(`no job is in queue ${sayName(queue)}${nearest === undefined ? '' : `; did you mean ${sayName(nearest)}?`}`);
    }
    return check && !verdict.ok ? EXIT.failed : EXIT.ok;
  });
}

const isEmpty = ({ due, later, running, completed, failed }: QueueState): boolean =>
  due + later + running + completed + failed === 0;

function describe(health: Health, { line }: Verdict): string {
  const parts = [line];
  if (health.queues.length > 0)
    parts.push(
      toTable(
        health.queues.map((state) => toRow(state, health.now)),
        HEAD,
      ),
    );
  if (health.liveRuns.length > 0) parts.push(health.liveRuns.map((run) => sayRun(run, health.now)).join('\n'));
  const notes = listNotes(health);
  if (notes.length > 0) parts.push(notes.join('\n'));
  return parts.join('\n\n');
}

const HEAD = ['queue', 'due', 'oldest', 'later', 'running', 'completed', 'failed', ''];

const toRow = (state: QueueState, now: Date): string[] => [
  sayName(state.queue),
  sayCount(state.due),
  state.oldestDueMs === null ? '' : sayDuration(state.oldestDueMs),
  sayCount(state.later),
  sayCount(state.running),
  sayCount(state.completed),
  sayCount(state.failed),
  state.pausedAt === null ? '' : `paused ${sayTime(state.pausedAt, now)}`,
];

function sayRun({ id, host, pid, alive, startedAt, claimed, completed, retried, failed }: LiveRun, now: Date): string {
  const state = alive === 1 ? 'live' : 'lease expired, the next run closes it';
  const counts = `${claimed} claimed, ${completed} completed, ${retried} to be retried, ${failed} failed`;
  return `run ${id} on ${host}, pid ${pid}: ${state}, started ${sayTime(startedAt, now)}, ${counts}`;
}

function listNotes({ putBack, heldByNoRun, today }: Health): string[] {
  const notes = [`${sayCount(today.completed)} completed today (since midnight UTC)`];
  for (const { type, jobs } of putBack) {
    notes.push(
      `no worker knows the type ${sayName(type)}: ${jobs} ${jobs === 1 ? 'job waits' : 'jobs wait'} for one that does`,
    );
  }
  if (heldByNoRun > 0) {
    notes.push(
      `${heldByNoRun} running ${heldByNoRun === 1 ? 'row is' : 'rows are'} held by no run but by an older script; rowlock retry ID revives one`,
    );
  }
  return notes;
}

const toPlain = (health: Health, { ok, line, reasons }: Verdict) => ({
  ok,
  verdict: line,
  reasons,
  now: health.now,
  last_run: health.lastRun === undefined ? null : { id: health.lastRun.id, started_at: health.lastRun.startedAt },
  completed_today: health.today.completed,
  failed_today: health.today.failed,
  queues: health.queues.map((state) => ({
    queue: state.queue,
    paused_at: state.pausedAt,
    pending: state.due + state.later,
    due: state.due,
    oldest_due_ms: state.oldestDueMs,
    later: state.later,
    running: state.running,
    completed: state.completed,
    failed: state.failed,
  })),
  unknown_types: health.putBack.map(({ type, jobs }) => ({ job_type: type, jobs })),
  running_without_run: health.heldByNoRun,
  runs: health.liveRuns.map((run) => ({
    id: run.id,
    host: run.host,
    pid: run.pid,
    slot: run.slot,
    selection: run.selection,
    alive: run.alive === 1,
    started_at: run.startedAt,
    lease_expires_at: run.leaseExpiresAt,
    claimed: run.claimed,
    completed: run.completed,
    retried: run.retried,
    failed: run.failed,
    released: run.released,
  })),
});
