import { setInterval as every } from 'node:timers/promises';
import { workerData } from 'node:worker_threads';

const LOOK_EVERY_MS = 500;

/** Ends this process once its parent has gone: another is its parent then. */
async function endWithParent(parent: number): Promise<void> {
  for await (const _ of every(LOOK_EVERY_MS)) {
    if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL');
  }
}

void endWithParent(workerData as number);
