/**
 * A queue as the bench sees it. The module of a contender is loaded in processes of its own, by the Node that it
 * is to run with: one that enqueues and looks ({@link file:./host.mjs}), and those that work ({@link file:./worker.mjs}).
 * @typedef {object} Contender
 * @property {(url: string) => Promise<void>} prepare makes an empty queue at the URL; what an earlier one held is gone
 * @property {(url: string) => Promise<void>} remove what prepare made
 * @property {(url: string) => Promise<Session>} open for enqueueing and looking
 * @property {(url: string) => Promise<void>} [work] starts the real worker with the handler that counts; it goes on until its
 *   process is ended
 */

/**
 * @typedef {object} Session
 * @property {(count: number) => Promise<void>} enqueueEach one after the other, each awaited
 * @property {(count: number) => Promise<void>} enqueueAll in bulk, in the batches that suit it best
 * @property {(count: number) => Promise<boolean>} isDone cheap: that many jobs are recorded as completed, durably
 * @property {() => Promise<number>} countCompleted exact: jobs that the server has as completed
 * @property {() => Promise<void>} close
 */

/** The type, task, queue or whatever else a contender calls it. */
export const NAME = 'noop';

/**
 * Numbers of batches that make up the count.
 *
 * @param {number} count
 * @param {number} most
 */
export function* batches(count, most) {
  for (let first = 0; first < count; first += most) yield { first, size: Math.min(most, count - first) };
}

/**
 * @template T
 * @param {number} length
 * @param {(index: number) => T} make
 */
export const times = (length, make) => Array.from({ length }, (_, index) => make(index));
