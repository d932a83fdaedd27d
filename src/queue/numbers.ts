import type { Queryable } from '../db/pool';
import { select } from '../db/statements';
import { COUNTED_AT_MOST, type Health, readHealth } from './health';
import type { RunOutcome } from './runs';

/** How attempts ended. */
export interface AttemptCounts {
  completed: number;
  retried: number;
  failed: number;
  released: number;
}

/** What a monitor wants to know of the queue. */
export interface Numbers {
  health: Health;
  /** Failed jobs that nobody cancelled, by queue; of each at most {@link COUNTED_AT_MOST} are looked at. */
  deadLetters: Map<string, number>;
  /** Since midnight UTC: runs that ended, by how. */
  runsToday: Map<RunOutcome, number>;
  /** Since midnight UTC: attempts that ended, by the account of the runs that live or have ended since then. */
  attemptsToday: AttemptCounts;
}

/** Bounded as {@link readHealth} is, so that it may be asked every minute. */
export async function readNumbers(on: Queryable): Promise<Numbers> {
  const health = await readHealth(on);
  const deadLetters = new Map<string, number>();
  for (const { queue, failed } of health.queues) {
    deadLetters.set(queue, failed === 0 ? 0 : await countDeadLetters(on, queue));
  }
  return { health, deadLetters, ...(await readToday(on)) };
}

async function countDeadLetters(on: Queryable, queue: string): Promise<number> {
  const [row] = await select<{ jobs: number }>(on, 'count_dead_letters', { queue, most: COUNTED_AT_MOST });
  return row?.jobs ?? 0;
}

async function readToday(on: Queryable): Promise<Pick<Numbers, 'runsToday' | 'attemptsToday'>> {
  const runsToday = new Map<RunOutcome, number>();
  const attemptsToday: AttemptCounts = { completed: 0, retried: 0, failed: 0, released: 0 };
  for (const { outcome, runs, ...sums } of await select<RunsRow>(on, 'sum_runs_today')) {
    if (outcome !== null) runsToday.set(outcome, runs);
    for (const how of Object.keys(attemptsToday) as (keyof AttemptCounts)[]) attemptsToday[how] += sums[how];
  }
  return { runsToday, attemptsToday };
}

interface RunsRow extends AttemptCounts {
  /** Null: they live. */
  outcome: RunOutcome | null;
  runs: number;
}
