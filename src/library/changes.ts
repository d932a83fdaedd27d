import type { Cancellation } from '../queue/cancel';
import type { JobId } from '../queue/job';
import type { Status } from '../queue/queues';
import type { Revival } from '../queue/retry';

/** What `retry` did about one id. */
export interface Retried {
  id: JobId;
  /** `left`: it is in a state that needs no reviving; `unknown`: there is no such job. */
  how: 'retried' | 'left' | 'unknown';
  /** The status that it had; undefined: there is no such job. */
  status?: Status;
}

/** What `cancel` did about one id. */
export interface Cancelled {
  id: JobId;
  /**
   * `cancelled`: it had not started, and never will; `requested`: its run aborts it at the next heartbeat, a
   * quarter of a lease (15 s); `left`: it has ended already; `unknown`: there is no such job.
   */
  how: 'cancelled' | 'requested' | 'left' | 'unknown';
  /** The status that it had; undefined: there is no such job. */
  status?: Status;
}

export const toRetried = (revival: Revival): Retried =>
  revival.how === 'unknown'
    ? { id: revival.id, how: 'unknown' }
    : { id: revival.id, how: revival.how === 'revived' ? 'retried' : 'left', status: revival.job.status };

export const toCancelled = (cancellation: Cancellation): Cancelled =>
  cancellation.how === 'unknown'
    ? { id: cancellation.id, how: 'unknown' }
    : { id: cancellation.id, how: cancellation.how, status: cancellation.job.status };
