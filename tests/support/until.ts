import { setTimeout as pause } from 'node:timers/promises';

const POLL_MS = 25;

/**
 * Waits until the condition answers with something truthy, and answers with that.
 *
 * @param what is awaited, as the sentence of the failing test: `job 3 is running`
 */
export async function until<T>(
  condition: () => T | Promise<T>,
  what: string,
  deadlineMs = 15_000,
): Promise<Exclude<T, undefined | null | false | 0 | ''>> {
  const end = Date.now() + deadlineMs;
  for (;;) {
    const seen = await condition();
    if (seen) return seen as Exclude<T, undefined | null | false | 0 | ''>;
    if (Date.now() > end) throw new Error(`not within ${deadlineMs} ms: ${what} (last seen: ${JSON.stringify(seen)})`);
    await pause(POLL_MS);
  }
}
