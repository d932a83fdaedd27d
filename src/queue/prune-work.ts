import type { Pool } from '../db/pool';

export interface Pruned {
  completed: number;
  failed: number;
  runs: number;
  /** Rows of the history whose job somebody has deleted by hand. */
  orphanedErrors: number;
  /** Old jobs that stay, as rows of other tables refer to them. */
  kept: number;
  /** By these columns: `child.job_id`. */
  keptBy: string[];
  /** Jobs that stay, as an older script has ended them and not written down when. */
  undated: number;
  /** Old jobs that stay until the next time, as other sessions hold locks on them. */
  locked: number;
  /** False: it was told to end before it had seen everything. */
  isWhole: boolean;
}

/** One prune on its way: what counts as old, and what came of it so far. */
export interface Prune {
  pool: Pool;
  cutoffs: Cutoffs;
  dryRun: boolean;
  mayGoOn: () => boolean;
  pruned: Pruned;
}

/** What ended before these times is old; by the database's clock, read once. */
export interface Cutoffs {
  ended: Date;
  /** Null: failed jobs stay. */
  failed: Date | null;
  closed: Date;
}

/** False once it may not; asked before each portion. */
export function goesOn({ mayGoOn, pruned }: Prune): boolean {
  pruned.isWhole &&= mayGoOn();
  return pruned.isWhole;
}
