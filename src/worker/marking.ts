import { CommitUnknownError } from '../db/transaction';
import type { Locked } from '../queue/claim';
import type { ClaimedJob } from '../queue/job';
import type { Lane } from '../queue/lanes';

/** Claims whose rows are locked, until they are marked and their jobs delivered, in order. */
export class Marking {
  /** Locked jobs that have not been delivered. */
  waiting = 0;
  /** A COMMIT got no answer: rows may be this run's that it does not know of. */
  isUncertain = false;
  private last: Promise<void> = Promise.resolve();
  private fault: { error: unknown } | undefined;
  private readonly deliver: (jobs: ClaimedJob[]) => void;

  constructor(deliver: (jobs: ClaimedJob[]) => void) {
    this.deliver = deliver;
  }

  /** Delivers the jobs once they are marked. Resolves when the claim before this one is over: two at once are enough. */
  async add(locked: Locked, lane: Lane): Promise<void> {
    const before = this.last;
    this.waiting += locked.count;
    this.last = this.finish(before, locked, lane);
    await before;
  }

  /**
   * Resolves once all is delivered.
   *
   * @throws what kept a claim from being made, once
   */
  async settled(): Promise<void> {
    await this.last;
    this.throwFault();
  }

  /** @throws what kept a claim from being made, once */
  throwFault(): void {
    const { fault } = this;
    this.fault = undefined;
    if (fault !== undefined) throw fault.error;
  }

  private async finish(before: Promise<void>, { count, jobs }: Locked, lane: Lane): Promise<void> {
    await before;
    try {
      this.deliver(await jobs);
    } catch (error) {
      if (error instanceof CommitUnknownError) this.isUncertain = true;
      else this.fault = { error };
      // Its rows are pending again, or may be, and stand behind the cursor.
      lane.rescan();
    } finally {
      this.waiting -= count;
    }
  }
}
