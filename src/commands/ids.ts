import { UsageError } from '../errors';
import { type JobId, toJobId } from '../queue/job';

/** Ids as they were typed, each once. */
export function parseIds(words: readonly string[]): JobId[] {
  return [...new Set(words.map(parseId))];
}

export function parseId(word: string): JobId {
  const id = toJobId(word);
  if (id !== undefined) return id;
  throw new UsageError(`"${word.slice(0, 40)}" is no job id; give a number, as rowlock list shows it`);
}
