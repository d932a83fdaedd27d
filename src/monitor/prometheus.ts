import { Gauge, Registry } from 'prom-client';
import type { RunCounts } from '../events';
import { COUNTED_AT_MOST, type Health } from '../queue/health';
import type { Numbers } from '../queue/numbers';
import type { RunOutcome } from '../queue/runs';
import { readVersion } from '../version';

/** How the run that writes the numbers went. */
export interface RunEnd {
  startedAt: Date;
  endedAt: Date;
  durationMs: number;
  exitCode: number;
  /** Undefined: it ended before it had any. */
  counts: RunCounts | undefined;
}

export interface Measured {
  /** The name of the database, a label of every number: several may report to one Prometheus. */
  database: string | undefined;
  /** What the run serves, if not everything; then a label of every number, since another run's file stands beside. */
  selection?: string;
  /** Undefined: the database did not answer. Then nothing is said of it, as old numbers would look like new ones. */
  numbers: Numbers | undefined;
  run?: RunEnd;
}

type Row = [labels: Record<string, string>, value: number];

const OUTCOMES: readonly RunOutcome[] = ['finished', 'stopped', 'skipped', 'lost', 'error'];

/** Types are whatever producers write: of those that nobody knows there may be any number. */
const UNKNOWN_TYPES_AT_MOST = 20;

const CAPPED = `counting ends at ${COUNTED_AT_MOST.toLocaleString('en-US')}`;

/**
 * The numbers in Prometheus' text format. All are gauges: the tables are pruned and rows are revived, so that
 * none of their sums only ever grows.
 */
export function toPrometheus({ database, selection = '', numbers, run }: Measured): Promise<string> {
  const page = new Page();
  page.label({ ...(database !== undefined && { database }), ...(selection !== '' && { selection }) });
  page.each('rowlock_build_info', 'The version of Rowlock.', ['version'], [[{ version: readVersion() }, 1]]);
  page.one('rowlock_up', '1: the queue was read; 0: it could not be, and nothing is said of it.', numbers ? 1 : 0);
  page.one(
    'rowlock_last_run_timestamp_seconds',
    'When the newest run on any host started, by the clock of the database; if the queue could not be read, when this run did.',
    toSeconds(numbers === undefined ? run?.startedAt : numbers.health.lastRun?.startedAt),
  );
  if (numbers !== undefined) tellQueues(page, numbers);
  if (run !== undefined) tellRun(page, run);
  return page.text();
}

function tellQueues(page: Page, { health, deadLetters, runsToday, attemptsToday }: Numbers): void {
  page.one(
    'rowlock_read_timestamp_seconds',
    'When the queue was read, by the clock of the database.',
    toSeconds(health.now),
  );
  page.each(
    'rowlock_jobs',
    `Jobs by queue and status; pending ones are due or later. Of a queue and status (due and later: of a priority too) ${CAPPED}.`,
    ['queue', 'status'],
    health.queues.flatMap(({ queue, due, later, running, completed, failed }) =>
      Object.entries({ due, later, running, completed, failed }).map(
        ([status, jobs]): Row => [{ queue, status }, jobs],
      ),
    ),
  );
  page.each(
    'rowlock_dead_letters',
    `Jobs that failed for good and were not cancelled; of the failed jobs of a queue ${CAPPED}.`,
    ['queue'],
    [...deadLetters].map(([queue, jobs]) => [{ queue }, jobs]),
  );
  page.each(
    'rowlock_oldest_due_seconds',
    'How long the oldest due job of a queue has been due; 0: none is due.',
    ['queue'],
    health.queues.map(({ queue, oldestDueMs }) => [{ queue }, (oldestDueMs ?? 0) / 1_000]),
  );
  page.each(
    'rowlock_queue_paused',
    '1: the queue is paused, and no run claims from it.',
    ['queue'],
    health.queues.map(({ queue, pausedAt }) => [{ queue }, pausedAt === null ? 0 : 1]),
  );
  page.each(
    'rowlock_unknown_type_jobs',
    `Jobs that were put back, as no worker knows their type; of the ${UNKNOWN_TYPES_AT_MOST} types with the most.`,
    ['type'],
    listUnknownTypes(health),
  );
  page.one('rowlock_running_without_run', 'Running rows that no run holds, but an older script.', health.heldByNoRun);
  page.one(
    'rowlock_runs_live',
    'Runs that hold their lease.',
    health.liveRuns.filter(({ alive }) => alive === 1).length,
  );
  page.each(
    'rowlock_runs_today',
    'Runs that ended since midnight UTC, by how; back to 0 at midnight.',
    ['outcome'],
    OUTCOMES.map((outcome) => [{ outcome }, runsToday.get(outcome) ?? 0]),
  );
  page.each(
    'rowlock_attempts_today',
    'Attempts that ended since midnight UTC, by how; back to 0 at midnight.',
    ['outcome'],
    Object.entries(attemptsToday).map(([outcome, attempts]) => [{ outcome }, attempts]),
  );
}

const listUnknownTypes = ({ putBack }: Health): Row[] =>
  [...putBack]
    .sort((a, b) => b.jobs - a.jobs)
    .slice(0, UNKNOWN_TYPES_AT_MOST)
    .map(({ type, jobs }) => [{ type }, jobs]);

function tellRun(page: Page, { endedAt, durationMs, exitCode, counts }: RunEnd): void {
  page.one('rowlock_last_run_exit_code', 'The exit code of the run that wrote this.', exitCode);
  page.one(
    'rowlock_last_run_end_timestamp_seconds',
    'When the run that wrote this ended, by the clock of its host.',
    toSeconds(endedAt),
  );
  page.one('rowlock_last_run_duration_seconds', 'How long the run that wrote this took.', durationMs / 1_000);
  if (counts === undefined) return;
  const { claimed, completed, retried, failed, released } = counts;
  page.one('rowlock_last_run_claimed', 'Jobs that the run that wrote this claimed.', claimed);
  page.each(
    'rowlock_last_run_attempts',
    'Attempts that the run that wrote this ended, by how.',
    ['outcome'],
    Object.entries({ completed, retried, failed, released }).map(([outcome, attempts]) => [{ outcome }, attempts]),
  );
}

const toSeconds = (time: Date | undefined): number | undefined =>
  time === undefined ? undefined : time.getTime() / 1_000;

/** A page of gauges with a registry of its own. What is not known is not on it. */
class Page {
  private readonly registry = new Registry();

  label(labels: Record<string, string>): void {
    this.registry.setDefaultLabels(labels);
  }

  one(name: string, help: string, value: number | undefined): void {
    if (value !== undefined) this.gauge(name, help, []).set(value);
  }

  each(name: string, help: string, labelNames: string[], rows: readonly Row[]): void {
    if (rows.length === 0) return;
    const gauge = this.gauge(name, help, labelNames);
    for (const [labels, value] of rows) gauge.set(labels, value);
  }

  text(): Promise<string> {
    return this.registry.metrics();
  }

  private gauge(name: string, help: string, labelNames: string[]): Gauge {
    return new Gauge({ name, help, labelNames, registers: [this.registry] });
  }
}
