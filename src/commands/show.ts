import type { Settings } from '../config';
import { EXIT, type ExitCode } from '../errors';
import { harmless, harmlessJson } from '../harmless';
import { type HoldingRun, type JobWithHistory, showJob, type WholeJob } from '../queue/inspect';
import { sayTime } from '../words';
import { parseId } from './ids';
import { exact, exactId, print, toJsonLine, toTable, warn } from './print';
import { withQueue } from './session';

/** `rowlock show ID [--json]`: all of one job, with its history. Exit 1: there is no such job. */
export function showCommand(settings: Settings, word: string, { json = false }: { json?: boolean }): Promise<ExitCode> {
  const id = parseId(word);
  return withQueue(settings, async (pool) => {
    const found = await showJob(pool, id);
    if (found === undefined) {
      warn(`there is no job ${id}`);
      return EXIT.failed;
    }
    print(json ? toJsonLine(toPlain(found)) : describe(found));
    return EXIT.ok;
  });
}

const toPlain = ({ job, run, failures }: JobWithHistory) => ({
  id: exactId(job.id),
  job_type: job.type,
  payload: exact(job.payload),
  status: job.status,
  created_at: job.createdAt,
  processed_at: job.processedAt,
  queue: job.queue,
  priority: job.priority,
  run_at: job.runAt,
  unique_key: job.uniqueKey,
  max_attempts: job.maxAttempts,
  attempts: job.attempts,
  crashes: job.crashes,
  run_id: job.runId,
  started_at: job.startedAt,
  cancelled_at: job.cancelledAt,
  progress: job.progress,
  checkpoint: exact(job.checkpoint),
  result: exact(job.result),
  last_error: job.lastError,
  run: run && {
    id: run.id,
    host: run.host,
    pid: run.pid,
    slot: run.slot,
    started_at: run.startedAt,
    lease_expires_at: run.leaseExpiresAt,
    finished_at: run.finishedAt,
    outcome: run.outcome,
  },
  errors: failures.map(({ attempt, runId, occurredAt, error }) => ({
    attempt,
    run_id: runId,
    occurred_at: occurredAt,
    error,
  })),
});

function describe({ job, run, failures }: JobWithHistory): string {
  const facts = listFacts(job, run).filter(([, value]) => value !== '');
  const parts = [toTable(facts)];
  for (const [name, json] of [
    ['payload', job.payload],
    ['checkpoint', job.checkpoint],
    ['result', job.result],
  ] as const) {
    if (json !== null) parts.push(`${name}\n${indent(layOut(json))}`);
  }
  if (job.lastError !== null) parts.push(`last error\n${indent(harmless(job.lastError))}`);
  if (failures.length > 0) parts.push(`failed attempts\n${indent(sayFailures({ job, run, failures }))}`);
  return parts.join('\n\n');
}

function listFacts(job: WholeJob, run: HoldingRun | undefined): [string, string][] {
  const time = (at: Date | null): string => sayTime(at, job.now);
  return [
    ['job', `${job.id}  ${harmless(job.type)}`],
    ['status', `${job.status}${job.cancelledAt === null ? '' : ', cancelled'}`],
    ['queue', `${harmless(job.queue)}, priority ${job.priority}`],
    ['attempts', sayAttempts(job)],
    ['created', time(job.createdAt)],
    ['run at', time(job.runAt)],
    ['started', time(job.startedAt)],
    ['ended', time(job.processedAt)],
    ['cancelled', time(job.cancelledAt)],
    ['progress', job.progress === null || job.status === 'completed' ? '' : `${Math.round(job.progress * 100)} %`],
    ['unique key', harmless(job.uniqueKey ?? '')],
    ['run', run === undefined ? String(job.runId ?? '') : sayRun(run, job.now)],
  ];
}

function sayAttempts({ attempts, maxAttempts, crashes }: WholeJob): string {
  const most = maxAttempts === null ? '' : ` of ${Math.max(1, maxAttempts)}`;
  return `${attempts}${most}${crashes === 0 ? '' : `, ${crashes} of its workers died`}`;
}

function sayRun({ id, host, pid, finishedAt, outcome }: HoldingRun, now: Date): string {
  const end = finishedAt === null ? 'not closed' : `${outcome ?? 'closed'} ${sayTime(finishedAt, now)}`;
  return `${id} on ${host}, pid ${pid}, ${end}`;
}

const sayFailures = ({ job, failures }: JobWithHistory): string =>
  failures
    .map(
      ({ attempt, occurredAt, error }) =>
        `attempt ${attempt}, ${sayTime(occurredAt, job.now)}\n${indent(harmless(error))}`,
    )
    .join('\n');

const indent = (text: string): string => text.replaceAll(/^/gm, '  ');

/** A larger document is printed as it is: laying it out would take longer than reading it. */
const LARGEST_LAID_OUT = 100_000;

/** JSON over several lines, with every number as it stands. */
function layOut(json: string): string {
  if (json.length > LARGEST_LAID_OUT) return harmlessJson(json);
  const { parse, stringify } = require('lossless-json') as typeof import('lossless-json');
  return harmlessJson(stringify(parse(json, null, { onDuplicateKey: ({ newValue }) => newValue }), null, 2) ?? json);
}
