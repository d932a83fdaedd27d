import { isConflict, isReferred } from '../db/faults';
import { change, select } from '../db/statements';
import { transaction } from '../db/transaction';
import { IDS_AT_MOST, type JobId } from './job';
import { Lane, placeAfter } from './lanes';
import { References } from './prune-references';
import { goesOn, type Prune } from './prune-work';
import { walkLanesWith } from './queues';

/** What one transaction deletes, at most, unless one job alone is larger: a replica gets it as one piece, and a cluster refuses it above a limit. */
const BYTES_AT_MOST = 16 * 1024 * 1024;

/** Jobs looked at one by one, in one prune, for a reference that this user cannot see: two transactions a job. */
const HALVINGS_AT_MOST = 200;

/** A lock is waited for 3 s: what is held for longer is left to the next prune. */
const TRIES = 2;

interface EndedJob {
  id: JobId;
  runAt: Date;
  isOld: number;
  isUndated: number;
  bytes: number;
}

/** Deletes jobs in this status that ended before the cutoff, lane by lane, the oldest first. */
export async function pruneJobs(work: Prune, status: 'completed' | 'failed', cutoff: Date): Promise<void> {
  const eraser = new Eraser(work, status, cutoff);
  for await (const { queue, priority } of walkLanesWith(work.pool, status)) {
    await pruneLane(work, new Lane(queue, priority), eraser);
    if (!work.pruned.isWhole) return;
  }
}

async function pruneLane(work: Prune, lane: Lane, eraser: Eraser): Promise<void> {
  while (goesOn(work)) {
    const jobs = await select<EndedJob>(work.pool, 'find_ended_jobs', {
      status: eraser.status,
      cutoff: eraser.cutoff,
      queue: lane.queue,
      priority: lane.priority,
      afterRunAt: lane.cursor.runAt,
      afterId: lane.cursor.id,
      limit: IDS_AT_MOST,
    });
    work.pruned.undated += jobs.filter(({ isUndated }) => isUndated === 1).length;
    await eraser.erase(jobs.filter(({ isOld }) => isOld === 1));
    const last = jobs.at(-1);
    if (last === undefined || jobs.length < IDS_AT_MOST) return;
    lane.cursor = placeAfter(last);
  }
}

/** Deletes jobs by id, and works around those that cannot be. */
class Eraser {
  readonly status: 'completed' | 'failed';
  readonly cutoff: Date;
  private readonly work: Prune;
  private readonly references: References;
  private halvings = 0;

  constructor(work: Prune, status: 'completed' | 'failed', cutoff: Date) {
    this.work = work;
    this.status = status;
    this.cutoff = cutoff;
    this.references = new References(work.pool);
  }

  async erase(jobs: readonly EndedJob[]): Promise<void> {
    if (this.work.dryRun) this.work.pruned[this.status] += jobs.length;
    else for (const batch of splitBySize(jobs)) await this.eraseAll(batch);
  }

  private async eraseAll(ids: readonly JobId[]): Promise<void> {
    if (await this.tryAll(ids)) return;
    const referred = await this.references.findReferred(ids);
    const kept = new Set([...referred.values()].flat().map(String));
    this.keep(kept.size, [...referred.keys()]);
    await this.eraseHalves(ids.filter((id) => !kept.has(String(id))));
  }

  /** A row of a table that this user may not read refers to one of them, or one behind a cascade does. */
  private async eraseHalves(ids: readonly JobId[]): Promise<void> {
    if (ids.length === 0 || (await this.tryAll(ids))) return;
    // Once that has taken long enough all of them are kept, so that the prune comes to those behind.
    if (ids.length === 1 || ++this.halvings > HALVINGS_AT_MOST)
      return this.keep(ids.length, await this.references.names());
    const half = Math.ceil(ids.length / 2);
    await this.eraseHalves(ids.slice(0, half));
    await this.eraseHalves(ids.slice(half));
  }

  private keep(jobs: number, by: readonly string[]): void {
    const { pruned } = this.work;
    pruned.kept += jobs;
    pruned.keptBy = [...new Set([...pruned.keptBy, ...by])].sort();
  }

  /** False: a row of another table refers to one of them, and none was deleted. */
  private async tryAll(ids: readonly JobId[]): Promise<boolean> {
    const { pruned } = this.work;
    try {
      pruned[this.status] += await this.deleteAll(ids);
      return true;
    } catch (error) {
      if (isReferred(error)) return false;
      if (!isConflict(error)) throw error;
      pruned.locked += ids.length;
      return true;
    }
  }

  private deleteAll(ids: readonly JobId[]): Promise<number> {
    const { status, cutoff, work } = this;
    return transaction(
      work.pool,
      async (tx) => {
        const rows = await select<{ id: JobId }>(tx, 'lock_ended_jobs', { ids: [...ids], status, cutoff });
        const locked = rows.map(({ id }) => id);
        if (locked.length === 0) return 0;
        const deleted = await change(tx, 'delete_ended_jobs', { ids: locked, status, cutoff });
        await change(tx, 'delete_errors_of_jobs', { ids: JSON.stringify(locked) });
        return deleted;
      },
      { tries: TRIES },
    );
  }
}

function* splitBySize(jobs: readonly EndedJob[]): Generator<JobId[]> {
  let batch: JobId[] = [];
  let size = 0;
  for (const { id, bytes } of jobs) {
    if (batch.length > 0 && size + bytes > BYTES_AT_MOST) {
      yield batch;
      batch = [];
      size = 0;
    }
    batch.push(id);
    size += bytes;
  }
  if (batch.length > 0) yield batch;
}
