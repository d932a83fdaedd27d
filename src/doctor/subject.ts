import { readHealth } from '../queue/health';
import type { Subject } from './finding';
import { readVariables } from './variables';

/** What several checks ask is read once, when the first of them asks. */
export function openSubject(known: Pick<Subject, 'pool' | 'server' | 'settings' | 'envFile'>): Subject {
  return {
    ...known,
    health: once(() => readHealth(known.pool)),
    variables: once(() => readVariables(known.pool)),
  };
}

function once<T>(read: () => Promise<T>): () => Promise<T> {
  let reading: Promise<T> | undefined;
  return () => {
    reading ??= read();
    return reading;
  };
}
