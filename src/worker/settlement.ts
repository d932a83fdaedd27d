import type { JobId } from '../queue/job';
import type { Settlement } from '../queue/settle';
import type { Attempt } from './attempt';
import type { JobType } from './job-type';
import { backoffMs, type Outcome } from './outcome';

/** Crashes after which a job is failed. The first may be another's, as several jobs were held then; the others are its own. */
const CRASHES_AT_MOST = 3;

/** Outcomes that are still to be written. */
export type OpenOutcome = Exclude<Outcome, { kind: 'committed' | 'lost' }>;

const PLAIN = {
  charged: true,
  crashed: false,
  cancelled: false,
  delayMs: 0,
  result: null,
  error: null,
  freeKey: false,
} as const;

/** Gives a job back of which no more is known than that this run's claim has taken it. */
export const releaseOf = (id: JobId, attempts: number): Settlement => ({
  ...PLAIN,
  id,
  attempts,
  status: 'pending',
  count: 'released',
  charged: false,
});

/** What an outcome means for the row. */
export function settlementOf(attempt: Attempt, type: JobType | undefined, outcome: OpenOutcome): Settlement {
  const { id, attempts } = attempt.fence;
  const base = { ...PLAIN, id, attempts, freeKey: type?.unique === 'active' };
  switch (outcome.kind) {
    case 'completed':
      return { ...base, status: 'completed', count: 'completed', result: outcome.result };
    case 'failed':
      return {
        ...base,
        status: 'failed',
        count: 'failed',
        error: outcome.error,
        cancelled: outcome.cancelled === true,
      };
    case 'retry':
      return { ...base, status: 'pending', count: 'retried', error: outcome.error, delayMs: outcome.delayMs };
    case 'released':
      return { ...base, status: 'pending', count: 'released', charged: false, delayMs: outcome.delayMs };
    case 'crashed': {
      const crashes = attempt.job.crashes + 1;
      const error = `crash ${crashes} of ${CRASHES_AT_MOST}: ${outcome.how}`;
      const crashed = { ...base, charged: false, crashed: true, error };
      if (crashes >= CRASHES_AT_MOST || attempt.maxAttempts === 1) {
        return { ...crashed, status: 'failed', count: 'failed' };
      }
      return { ...crashed, status: 'pending', count: 'retried', delayMs: backoffMs(crashes, type?.backoffMs) };
    }
  }
}
