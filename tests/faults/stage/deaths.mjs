import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

const LOOK_EVERY_MS = 50;

/** A run that ends by itself says so last of all, whatever its exit code is. */
const LAST_WORDS = /"(run\.finished|run\.skipped|run\.lease_lost)"/;

/**
 * Counts the runs of a fleet that die, as faults that strike what they held.
 *
 * @param {import('./stage.mjs').Stage} stage
 * @param {import('./fleet.mjs').Fleet} fleet
 * @returns {{ count: () => number, stop: () => Promise<void> }}
 */
export function watchDeaths(stage, fleet) {
  /** @type {Set<number>} */
  const seen = new Set();
  const stopping = new AbortController();
  let count = 0;
  const look = async () => {
    for (const run of fleet.all) {
      if (run.endedAt === undefined || seen.has(run.number)) continue;
      seen.add(run.number);
      const log = readFileSync(run.log, 'utf8');
      const runId = fleet.runIdOf(run.number);
      if (runId === undefined || LAST_WORDS.test(log)) continue;
      count++;
      const how = run.signal ?? `exit code ${run.code}`;
      stage.faults.note(`a run ended by ${how}`, await stage.readHeld(runId));
    }
  };
  const watching = (async () => {
    while (!stopping.signal.aborted) {
      await look();
      await pause(LOOK_EVERY_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  })();
  // What went wrong is told by stop().
  watching.catch(() => undefined);
  return {
    count: () => count,
    async stop() {
      stopping.abort();
      await watching;
    },
  };
}

/**
 * Runs that lived on past all that was theirs to do, and would have done so for ever.
 *
 * @param {import('./stage.mjs').Stage} stage
 * @param {import('./fleet.mjs').Fleet} fleet whose runs have ended
 * @param {number} longestMs
 */
export function findHanging(stage, fleet, longestMs) {
  for (const { number, startedAt, endedAt = Number.POSITIVE_INFINITY } of fleet.all) {
    const lived = endedAt - startedAt;
    if (lived > longestMs)
      stage.findings.push({ check: 'every run ends', id: `process ${number}`, text: `it lived for ${lived / 1000} s` });
  }
}
