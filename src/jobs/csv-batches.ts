import { on } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { codeOf } from '../errors';
import { CODE_FOLDER } from '../folders';
import type { Batch } from './csv-batch';
import type { ThreadData } from './csv-thread';

/** One is committed while the next is made. */
const IN_FLIGHT = 2;

/** In MB. Plain lines do with 8, a megabyte of nothing but delimiters with 24. */
const MEMORY = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 64 };

/**
 * Reads the batches of a file in a thread of its own: to take lines apart is the most of an import, and the server works
 * on a batch meanwhile.
 *
 * @param signal ends it, also while a batch is read
 */
export async function* readBatches(data: ThreadData, signal: AbortSignal): AsyncGenerator<Batch, void> {
  const thread = new Worker(join(CODE_FOLDER, 'jobs', 'csv-thread.js'), { workerData: data, resourceLimits: MEMORY });
  // One that comes while the thread is ended is of no more interest.
  thread.on('error', () => undefined);
  thread.unref();
  let behind = data.from;
  try {
    for (let asked = 0; asked < IN_FLIGHT; asked++) thread.postMessage(null);
    for await (const [batch] of on(thread, 'message', { signal, close: ['exit'] }) as AsyncIterable<[Batch]>) {
      if (batch.ends.length === 0) return;
      behind = batch.ends.at(-1) ?? behind;
      yield batch;
      // Its rows are done with. They go back with the question for another, as nothing else frees them here: this thread
      // makes so little that it collects nothing for a long time, and had 20 MB of them.
      thread.postMessage(null, [batch.rows.buffer as ArrayBuffer]);
    }
    throw new Error(`the thread that reads the file has ended, somewhere behind its byte ${behind}`);
  } catch (error) {
    if (codeOf(error) !== 'ERR_WORKER_OUT_OF_MEMORY') throw error;
    throw new Error(
      `the thread that reads the file has run out of its ${MEMORY.maxOldGenerationSizeMb} MB, somewhere behind byte ${behind}; look there for what no CSV has`,
      { cause: error },
    );
  } finally {
    await thread.terminate();
  }
}
