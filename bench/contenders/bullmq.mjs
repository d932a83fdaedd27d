import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { batches, NAME, times } from './contender.mjs';
import { countOne } from './handled.mjs';
import { TUNING } from './tuning.mjs';

/**
 * Jobs of one addBulk(), which is one pipeline. Two runs each on a busy machine, everysec: 21,600 and 16,500 jobs/s; with
 * 10,000 it was 11,300 and 18,200, with all 100,000 at once 6,600 and 9,500. With `always` it was 10,500 and 11,800, 6,400 and
 * 7,800, 7,700 and 9,800.
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
