import { wholly } from '../db/wholly';
import { enqueueJobs, planInserts, sendInserts } from '../queue/enqueue';
import type { JobId } from '../queue/job';
import type { EnqueueRow } from '../queue/new-job';
import type { Session } from './client-session';

/** Enqueues all of them or none, and answers with their ids, in order. */
export async function enqueueRows({ on, sizeOf }: Session, rows: readonly EnqueueRow[]): Promise<JobId[]> {
  // How far apart the ids of an INSERT are is a setting of the session that it is sent to.
  if (on.pool !== undefined && rows.length > 1) return wholly(on, (tx) => enqueueJobs(tx, rows, sizeOf));
  const inserts = await planInserts(on, rows, sizeOf);
  // A pooled session without autocommit would keep the INSERT to itself; on a connection COMMIT is the caller's.
  const isWhole = on.pool === undefined ? inserts.batches.length === 1 : inserts.terms.autocommit === 1;
  return isWhole ? sendInserts(on, inserts) : wholly(on, (tx) => sendInserts(tx, inserts));
}
