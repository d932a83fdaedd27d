import { UsageError } from '../errors';
import type { JobId } from '../queue/job';

/** BIGINT UNSIGNED's end. */
const GREATEST_ID = 2n ** 64n - 1n;

/** Ids as they were typed, each once, as numbers where a double holds them. */
export function parseIds(words: readonly string[]): JobId[] {
  return [...new Set(words.map(parseId))];
}

export function parseId(word: string): JobId {
  if (!/^\d{1,20}$/.test(word) || BigInt(word) > GREATEST_ID) {
    throw new UsageError(`"${word.slice(0, 40)}" is no job id; give a number, as rowlock list shows it`);
  }
  const id = Number(word);
  return Number.isSafeInteger(id) ? id : String(BigInt(word));
}
