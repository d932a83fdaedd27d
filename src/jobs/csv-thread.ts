import { on } from 'node:events';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { type LinesForm, Packer } from './csv-pack';

/** What the thread is started with. */
export interface ThreadData {
  /** The file: it is open in the process. */
  fd: number;
  /** A byte at which a record begins. */
  from: number;
  form: LinesForm;
}

/** Answers each message with the next batch. An error ends the thread, and is the job's. */
async function answer(port: MessagePort, { fd, from, form }: ThreadData): Promise<void> {
  const packer = new Packer(fd, from, form);
  for await (const _ of on(port, 'message')) {
    const batch = await packer.pack();
    port.postMessage(batch, [batch.ends.buffer, batch.rows.buffer] as ArrayBuffer[]);
  }
}

if (parentPort !== null) void answer(parentPort, workerData as ThreadData);
