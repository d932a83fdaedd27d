import { type JobId, toJobId } from '../queue/job';

/**
 * Ids as the rows have them, each once.
 *
 * @throws TypeError for what is no id
 */
export function readIds(given: JobId | readonly JobId[]): JobId[] {
  return [...new Set([given].flat().map(readId))];
}

/** @throws TypeError for what is no id */
export function readId(given: JobId): JobId {
  const id = toJobId(given);
  if (id !== undefined) return id;
  throw new TypeError(`${String(given).slice(0, 40)} is no job id: give a whole number, as a string beyond 2^53`);
}
