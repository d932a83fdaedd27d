import type { JobId } from '../queue/job';
import type { Settlement } from '../queue/settle';
import type { Attempt } from './attempt';
import type { JobType } from './job-type';
import { backoffMs, type Outcome } from './outcome';

/** Crashes after which a job is failed. The first may be another's, as several jobs were held then; the others are its own. */
export const CRASHES_AT_MOST = 3;

/** Outcomes that are still to be written. */
export type OpenOutcome = Exclude<Outcome, { kind: 'committed' | 'lost' }>;

/** What differs from an attempt that counts, and leaves nothing but its status behind. */
type Rest = Partial<Pick<Settlement, 'charged' | 'crashed' | 'cancelled' | 'delayMs' | 'result' | 'error' | 'freeKey'>>;

/** Each property by its name: spreading one object into another took 4 µs a job, of 50 in all. */
function settle(
  { id, attempts }: { id: JobId; attempts: number },
  status: Settlement['status'],
  count: Settlement['count'],
  {
    charged = true,
    crashed = false,
    cancelled = false,
    delayMs = 0,
    result = null,
    error = null,
    freeKey = false,
  }: Rest,
): Settlement {
  return { id, attempts, status, count, charged, crashed, cancelled, delayMs, result, error, freeKey };
}

/** Gives a job back of which no more is known than that this run's claim has taken it. */
export const releaseOf = (id: JobId, attempts: number): Settlement =>
  settle({ id, attempts }, 'pending', 'released', { charged: false });

/** What an outcome means for the row. */
export function settlementOf(attempt: Attempt, type: JobType | undefined, outcome: OpenOutcome): Settlement {
  const { fence, job, maxAttempts } = attempt;
  const freeKey = type?.unique === 'active';
  switch (outcome.kind) {
    case 'completed':
      return settle(fence, 'completed', 'completed', { freeKey, result: outcome.result });
    case 'failed': {
      const { error, cancelled } = outcome;
      return settle(fence, 'failed', 'failed', { freeKey, error, cancelled: cancelled === true });
    }
    case 'retry': {
      const { error, delayMs } = outcome;
      return settle(fence, 'pending', 'retried', { freeKey, error, delayMs });
    }
    case 'released':
      return settle(fence, 'pending', 'released', { freeKey, charged: false, delayMs: outcome.delayMs });
    case 'crashed': {
      const crashes = job.crashes + 1;
      const crashed = { freeKey, charged: false, crashed: true };
      const error = `crash ${crashes} of ${CRASHES_AT_MOST}: ${outcome.how}`;
      if (crashes >= CRASHES_AT_MOST || maxAttempts === 1) {
        return settle(fence, 'failed', 'failed', { ...crashed, error });
      }
      const delayMs = backoffMs(crashes, type?.backoffMs);
      return settle(fence, 'pending', 'retried', { ...crashed, error, delayMs });
    }
  }
}
