import type { Pool } from '../db/pool';
import { CommitUnknownError } from '../db/transaction';
import { type Claim, claimLane, claimLaneByType } from '../queue/claim';
import { findHeldForSure } from '../queue/held';
import type { ClaimedJob, JobId } from '../queue/job';
import { findLanes, findPausedQueues, Lane } from '../queue/lanes';

export interface Selection {
  /** Served in this order; empty: every queue, in turn. */
  queues: readonly string[];
  /** Empty: every type. */
  types: readonly string[];
}

export interface Catch {
  jobs: ClaimedJob[];
  /** Nothing that this run may take is due. */
  exhausted: boolean;
}

/** Lanes are looked for anew, and rescanned, about this often while there is work. */
const LOOK_EVERY_MS = 1_000;

/** Chooses the lane of each claim, and knows where each lane was left. */
export class Claimer {
  /** Queues that were paused at the last look. */
  paused: ReadonlySet<string> = new Set();
  private readonly lanes = new Map<string, Lane>();
  /** Those with a due job, by queue, each queue's in the order of their priority. */
  private due = new Map<string, Lane[]>();
  private mayLookAt = 0;
  /** About what a look takes. */
  private lookMs = Number.POSITIVE_INFINITY;
  private lookedAt = Number.NEGATIVE_INFINITY;
  private turn = 0;
  private uncertain = false;
  private readonly pool: Pool;
  private readonly selection: Selection;
  private readonly runId: number;
  private readonly isHeld: (id: JobId) => boolean;

  constructor(pool: Pool, selection: Selection, runId: number, isHeld: (id: JobId) => boolean) {
    this.pool = pool;
    this.selection = selection;
    this.runId = runId;
    this.isHeld = isHeld;
  }

  /**
   * Up to `limit` jobs. `strays` are jobs that an unanswered claim turns out to have made: the caller
   * gives them back.
   */
  async claim(limit: number): Promise<Catch & { strays: { id: JobId; attempts: number }[] }> {
    const strays = this.uncertain ? await this.recover() : [];
    const started = performance.now();
    await this.refresh();
    let jobs = await this.sweep(limit);
    if (jobs.length > 0) return { jobs, exhausted: false, strays };
    // It began with a look. Where that found nothing due, a second one would only come later, by the poll of 200 ms. A due
    // row may be locked for a moment, by a claim of the lane before it, whose scan goes one row too far: not known yet.
    if (this.lookedAt >= started) {
      return { jobs, exhausted: this.due.size === 0 && !this.uncertain && strays.length === 0, strays };
    }
    // A dry sweep says little: rows that were put back, or committed late, stand behind the cursors.
    if (!(await this.look())) return { jobs, exhausted: false, strays };
    let certain = true;
    for (const lane of [...this.due.values()].flat()) {
      if (lane.mayRescan(performance.now())) lane.rescan();
      // One that was just read from its start is dry, although others' jobs may be due in it.
      else if (lane.scannedAt < started) certain = false;
    }
    jobs = await this.sweep(limit);
    return { jobs, exhausted: certain && !this.uncertain && jobs.length + strays.length === 0, strays };
  }

  /** Milliseconds until it may look again. */
  get mayLookInMs(): number {
    return Math.max(0, this.mayLookAt - performance.now());
  }

  /** Looks, if the last look is a second old. */
  async refresh(): Promise<void> {
    if (performance.now() - this.lookedAt >= LOOK_EVERY_MS) await this.look();
  }

  /** Finds the lanes with due jobs and the paused queues. False: too soon, a twentieth of the time is enough. */
  private async look(): Promise<boolean> {
    const started = performance.now();
    if (started < this.mayLookAt) return false;
    this.paused = await findPausedQueues(this.pool);
    const found = await findLanes(this.pool, this.selection.queues);
    this.due = new Map();
    for (const { queue, priority, due } of found) {
      if (!due || this.paused.has(queue)) continue;
      const lanes = this.due.get(queue) ?? [];
      this.due.set(queue, [...lanes, this.laneOf(queue, priority)]);
    }
    this.lookedAt = performance.now();
    // Answers also wait for jobs that run here: one slow look says little, and the last one of a drain would be put off.
    this.lookMs = Math.min(this.lookedAt - started, 2 * this.lookMs);
    this.mayLookAt = this.lookedAt + this.lookMs * 19;
    return true;
  }

  private laneOf(queue: string, priority: number): Lane {
    const key = `${priority} ${queue}`;
    let lane = this.lanes.get(key);
    if (lane === undefined) {
      lane = new Lane(queue, priority);
      this.lanes.set(key, lane);
    }
    return lane;
  }

  /** Goes through the queues, from the next one in turn, until the limit is reached. */
  private async sweep(limit: number): Promise<ClaimedJob[]> {
    const queues = this.inTurn([...this.due.keys()]);
    const jobs: ClaimedJob[] = [];
    try {
      for (const queue of queues) {
        for (const lane of this.due.get(queue) ?? []) {
          await this.claimFrom(lane, limit - jobs.length, jobs);
          if (jobs.length >= limit || this.uncertain) return jobs;
        }
      }
    } catch (error) {
      // What has been claimed is held; the fault comes back with the next claim.
      if (jobs.length === 0) throw error;
    }
    return jobs;
  }

  private inTurn(queues: string[]): string[] {
    if (this.selection.queues.length > 0) return queues;
    const first = this.turn++ % Math.max(1, queues.length);
    return [...queues.slice(first), ...queues.slice(0, first)];
  }

  private async claimFrom(lane: Lane, limit: number, into: ClaimedJob[]): Promise<void> {
    const now = performance.now();
    if (!lane.atStart && now - lane.scannedAt >= LOOK_EVERY_MS && lane.mayRescan(now)) lane.rescan();
    const found = await this.claimAfterCursor(lane, limit);
    into.push(...found);
    if (found.length >= limit || !lane.mayRescan(performance.now())) return;
    // It looks empty from its cursor on: once from its start.
    lane.rescan();
    into.push(...(await this.claimAfterCursor(lane, limit - found.length)));
  }

  private async claimAfterCursor(lane: Lane, limit: number): Promise<ClaimedJob[]> {
    if (this.uncertain) return [];
    const { pool, runId, isHeld, selection } = this;
    const claim: Claim = { runId, limit, isHeld };
    const fromStart = lane.atStart;
    const started = performance.now();
    try {
      if (selection.types.length > 0) return await claimLaneByType(pool, lane, selection.types, claim);
      return await claimLane(pool, lane, claim);
    } catch (error) {
      if (!(error instanceof CommitUnknownError)) throw error;
      this.uncertain = true;
      return [];
    } finally {
      const now = performance.now();
      if (fromStart) lane.scanned(now - started, now);
    }
  }

  private async recover(): Promise<{ id: JobId; attempts: number }[]> {
    const held = await findHeldForSure(this.pool, this.runId);
    this.uncertain = false;
    return held.filter(({ id }) => !this.isHeld(id));
  }
}
