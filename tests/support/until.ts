import { setTimeout as pause } from 'node:timers/promises';

export interface Patience {
  /** @default 15_000 */
  deadlineMs?: number;
  /** From an answer to the next look. @default 25 */
  everyMs?: number;
}

/**
 * Waits until the condition answers with something truthy, and answers with that.
 *
 * @param what is awaited, as the sentence of the failing test: `job 3 is running`
 */
export async function until<T>(
  condition: () => T | Promise<T>,
  what: string,
  { deadlineMs = 15_000, everyMs = 25 }: Patience = {},
): Promise<Exclude<T, undefined | null | false | 0 | ''>> {
  const end = Date.now() + deadlineMs;
  for (;;) {
    const seen = await condition();
    if (seen) return seen as Exclude<T, undefined | null | false | 0 | ''>;
    if (Date.now() > end) throw new Error(`not within ${deadlineMs} ms: ${what} (last seen: ${JSON.stringify(seen)})`);
    await pause(everyMs);
  }
}
