import { createHash } from 'node:crypto';
import type { RunSettings } from '../config';

/** What a run serves, in at most 255 characters: runs that serve the same compete for the same slots. */
export function describeSelection({ queue, type }: Pick<RunSettings, 'queue' | 'type'>): string {
  const text = [describe('queues', queue), describe('types', type)].filter((words) => words !== '').join(' ');
  return text.length <= 255 ? text : createHash('sha256').update(text).digest('hex');
}

const describe = (what: string, names: readonly string[]): string =>
  names.length === 0 ? '' : `${what} ${[...names].sort().join(',')}`;
