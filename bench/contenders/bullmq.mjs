import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { batches, NAME, times } from './contender.mjs';
import { countOne } from './handled.mjs';
import { TUNING } from './tuning.mjs';

/**
 * Jobs of one addBulk(), which is one pipeline. Of 1,000, 10,000 and all 100,000 at once this was the fastest with both ways
 * to flush, in the mean of two trials.
 */
const BATCH = 1_000;

/** @param {string} url */
async function empty(url) {
  const redis = new Redis(url);
  await redis.flushdb();
  await redis.quit();
}

/** @param {string} url */
async function open(url) {
  const connection = new Redis(url, { maxRetriesPerRequest: null });
  const queue = new Queue(NAME, { connection });
  return {
    /** @param {number} count */
    async enqueueEach(count) {
      for (let index = 0; index < count; index++) await queue.add(NAME, { index });
    },
    /** @param {number} count */
    async enqueueAll(count) {
      for (const { first, size } of batches(count, BATCH)) {
        await queue.addBulk(times(size, (index) => ({ name: NAME, data: { index: first + index } })));
      }
    },
    /** @param {number} count */
    isDone: async (count) => (await queue.getCompletedCount()) >= count,
    countCompleted: () => queue.getCompletedCount(),
    async close() {
      await queue.close();
      await connection.quit();
    },
  };
}

/** @param {string} url */
async function work(url) {
  const connection = new Redis(url, { maxRetriesPerRequest: null });
  const worker = new Worker(NAME, async () => countOne(), { connection, ...TUNING['bullmq'] });
  await worker.waitUntilReady();
}

/** @type {import('./contender.mjs').Contender} */
export const contender = { prepare: empty, remove: empty, open, work };
