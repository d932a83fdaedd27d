import type { QueueState } from '../queue/health';
import { isServed, WAITED_MS } from '../verdict';
import { sayCount, sayDuration, sayName } from '../words';
import { type Check, ok, warning } from './finding';

/** A paused queue waits because somebody wants it to. */
export const waiting: Check = {
  name: 'waiting',
  async run({ health }) {
    const { queues } = await health();
    const serving = queues.filter(({ pausedAt }) => pausedAt === null);
    const late = serving.filter(({ oldestDueMs }) => (oldestDueMs ?? 0) > WAITED_MS);
    if (late.length > 0) {
      return warning(
        `due for long: ${late.map(sayLate).join(', ')}`,
        late.some(isServed)
          ? 'raise --concurrency or --max-runs, or add a host'
          : 'none of them is being started: see runs, and what --queue and --type leave out',
      );
    }
    const due = serving.reduce((sum, state) => sum + state.due, 0);
    const paused = queues.filter(({ pausedAt }) => pausedAt !== null).map(({ queue }) => sayName(queue));
    return ok(`${sayCount(due)} due${paused.length === 0 ? '' : `; paused: ${paused.join(', ')}`}`);
  },
};

const sayLate = ({ queue, due, oldestDueMs }: QueueState): string =>
  `${sayCount(due)} in queue ${sayName(queue)}, the oldest for ${sayDuration(oldestDueMs ?? 0)}`;
