import { change, select } from '../db/statements';
import { transaction } from '../db/transaction';
import { IDS_AT_MOST, type JobId } from './job';
import { goesOn, type Prune } from './prune-work';

interface ErrorRow {
  id: JobId;
  isOld: number;
  isOrphaned: number;
}

/** Deletes the old history of jobs that somebody has deleted by hand. Rows are numbered as they are written, so it ends at the first portion that is new. */
export async function pruneOrphanedErrors(work: Prune): Promise<void> {
  const { pool, cutoffs, dryRun, pruned } = work;
  let afterId: JobId = 0;
  while (goesOn(work)) {
    const rows: ErrorRow[] = await select<ErrorRow>(pool, 'find_orphaned_errors', {
      cutoff: cutoffs.ended,
      afterId,
      limit: IDS_AT_MOST,
    });
    const ids = rows.filter(({ isOld, isOrphaned }) => isOld === 1 && isOrphaned === 1).map(({ id }) => id);
    if (dryRun) pruned.orphanedErrors += ids.length;
    else if (ids.length > 0) {
      pruned.orphanedErrors += await transaction(pool, (tx) =>
        change(tx, 'delete_errors', { ids, cutoff: cutoffs.ended }),
      );
    }
    afterId = rows.at(-1)?.id ?? afterId;
    if (rows.length < IDS_AT_MOST || rows.every(({ isOld }) => isOld === 0)) return;
  }
}
