import { change, select } from '../db/statements';
import { transaction } from '../db/transaction';
import { IDS_AT_MOST } from './job';
import { goesOn, type Prune } from './prune-work';

interface ClosedRun {
  id: number;
  finishedAt: Date;
}

/**
 * Deletes runs that were closed long ago. One that holds a running job is open, or its jobs are rescued like
 * those of a run that is gone.
 */
export async function pruneRuns(work: Prune): Promise<void> {
  const { pool, dryRun, pruned } = work;
  const cutoff = work.cutoffs.closed;
  if (dryRun) {
    const [row] = await select<{ runs: number }>(pool, 'count_closed_runs', { cutoff });
    pruned.runs = row?.runs ?? 0;
    return;
  }
  let after = new Date(1000);
  while (goesOn(work)) {
    const runs = await select<ClosedRun>(pool, 'find_closed_runs', { cutoff, after, limit: IDS_AT_MOST });
    const ids = runs.map(({ id }) => id);
    const deleted =
      ids.length === 0 ? 0 : await transaction(pool, (tx) => change(tx, 'delete_closed_runs', { ids, cutoff }));
    pruned.runs += deleted;
    after = runs.at(-1)?.finishedAt ?? after;
    // None of a full portion: another prune has just deleted them.
    if (runs.length < IDS_AT_MOST || deleted === 0) return;
  }
}
