import { setTimeout as pause } from 'node:timers/promises';

/** A scene waited for something that did not come. */
export class Late extends Error {}

/**
 * For a catch that goes on where something came too late: any other error is thrown on.
 *
 * @param {unknown} error
 * @returns {Late}
 */
export function requireLate(error) {
  if (!(error instanceof Late)) throw error;
  return error;
}

/**
 * Waits until the condition answers with something truthy, and answers with that.
 *
 * @template T
 * @param {string} what is waited for, for the error: `run 3 has claimed`
 * @param {() => T | Promise<T>} condition
 * @param {{ deadlineMs?: number, everyMs?: number }} [patience] 15 s, and a look every 50 ms
 * @returns {Promise<Exclude<T, undefined | null | false | 0 | ''>>}
 */
export async function until(what, condition, { deadlineMs = 15_000, everyMs = 50 } = {}) {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const seen = await condition();
    if (seen) return /** @type {Exclude<T, undefined | null | false | 0 | ''>} */ (seen);
    if (performance.now() > end) throw new Late(`not within ${deadlineMs / 1000} s: ${what}`);
    await pause(everyMs);
  }
}
