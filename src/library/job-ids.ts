import type { JobId } from '../queue/job';

/** BIGINT UNSIGNED's end. */
const GREATEST_ID = 2n ** 64n - 1n;

/**
 * Ids as the rows have them, each once: numbers where a double holds them, else strings.
 *
 * @throws TypeError for what is no id
 */
export function readIds(given: JobId | readonly JobId[]): JobId[] {
  return [...new Set([given].flat().map(readId))];
}

/** @throws TypeError for what is no id */
export function readId(given: JobId): JobId {
  const isId = typeof given === 'string' ? /^\d{1,20}$/.test(given) && BigInt(given) <= GREATEST_ID : isExact(given);
  if (!isId)
    throw new TypeError(`${String(given).slice(0, 40)} is no job id: give a whole number, as a string beyond 2^53`);
  const number = Number(given);
  return Number.isSafeInteger(number) ? number : String(BigInt(given));
}

const isExact = (given: unknown): boolean => Number.isSafeInteger(given) && Number(given) >= 0;
