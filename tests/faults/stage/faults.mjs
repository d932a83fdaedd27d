import { steadyNow } from './clock.mjs';

/**
 * A job as it was held when a fault struck.
 * @typedef {{ id: number, runId: number | null, attempts: number }} Held
 */

/**
 * A fault that was injected.
 * @typedef {object} Fault
 * @property {string} what
 * @property {number} at on the steady clock
 * @property {Map<number, Held>} struck what is not recovered yet
 * @property {number | undefined} recoveredMs from the fault until the last job that it struck had ended or was claimed anew
 */

/**
 * Counts the faults of a scene, and measures the recovery from each: the time from the fault until every job that was
 * `running` under what it struck has been settled or claimed again. The sampler looks, so it is exact to a second.
 */
export class Faults {
  /** @type {Fault[]} */
  all = [];

  /**
   * A fault was injected just now.
   *
   * @param {string} what
   * @param {readonly Held[]} [struck] the jobs that were held by what was struck
   */
  note(what, struck = []) {
    const fault = {
      what,
      at: steadyNow(),
      struck: new Map(struck.map((held) => [held.id, held])),
      recoveredMs: struck.length === 0 ? 0 : undefined,
    };
    this.all.push(fault);
    return fault;
  }

  get count() {
    return this.all.length;
  }

  /** The ids of the jobs whose recovery is waited for. */
  get waitedFor() {
    return [...new Set(this.all.flatMap(({ struck }) => [...struck.keys()]))];
  }

  /**
   * What the table says of the jobs that are waited for; one that is not among the rows was deleted.
   *
   * @param {readonly { id: number, status: string, runId: number | null, attempts: number }[]} rows
   */
  look(rows) {
    const rowOf = new Map(rows.map((row) => [row.id, row]));
    for (const fault of this.all) {
      if (fault.recoveredMs !== undefined) continue;
      for (const held of fault.struck.values()) {
        if (isRecovered(held, rowOf.get(held.id))) fault.struck.delete(held.id);
      }
      if (fault.struck.size === 0) fault.recoveredMs = steadyNow() - fault.at;
    }
  }

  /** Of all faults so far; undefined: there was none that struck a job. */
  get longestRecoveryMs() {
    const known = this.all.flatMap(({ recoveredMs }) => recoveredMs ?? []);
    return known.length === 0 ? undefined : Math.max(...known);
  }
}

/**
 * @param {Held} held
 * @param {{ status: string, runId: number | null, attempts: number } | undefined} row
 */
function isRecovered(held, row) {
  if (row === undefined || row.status === 'completed' || row.status === 'failed') return true;
  // Put back, it still names its old run until it is claimed anew.
  return row.runId !== held.runId || (row.status === 'running' && row.attempts !== held.attempts);
}
