import { setTimeout as pause } from 'node:timers/promises';
import { entriesOf } from '../contenders/list.mjs';
import { Host, Workers } from '../contenders/processes.mjs';
import { comeToRest } from './come-to-rest.mjs';

const JOBS = 100_000;
const QUICK_JOBS = 10_000;
/** Of a contender whose time is limited: more than it gets through, and no more, since a long table slows it down. */
const LIMITED_JOBS = 4_000;
const PROCESSES = [1, 4];
const LOOK_EVERY_MS = 4;
/** A drain that takes longer than this is not slow but stuck. */
const STUCK_MS = 180_000;

/**
 * No-op jobs that wait when the workers are started, through real handlers. The time runs from the start of the worker
 * processes until the server has the last job as completed.
 *
 * @type {import('../samples.mjs').Measure}
 */
export const measure = {
  name: 'drain',
  async run(context) {
    /** @type {import('../samples.mjs').Sample[]} */
    const samples = [];
    for (const entry of entriesOf(context)) {
      for (const processes of PROCESSES) {
        const variant = processes === 1 ? 'one process' : `${processes} processes`;
        const what = `drain: ${entry.name} (${entry.server}), ${variant}`;
        try {
          const { jobs, seconds } = await drain(entry, processes, context);
          const value = jobs / seconds;
          context.log(`  ${what}: ${jobs} in ${seconds.toFixed(2)} s, ${Math.round(value)}/s`);
          samples.push({
            measure: 'drain',
            contender: entry.name,
            server: entry.server,
            variant,
            value,
            unit: 'jobs/s',
          });
        } catch (error) {
          context.fault(`${what}: ${error instanceof Error ? error.message : error}`);
        }
      }
    }
    return samples;
  },
};

/**
 * @param {import('../contenders/processes.mjs').Placed} entry
 * @param {number} processes
 * @param {import('../samples.mjs').Context} context
 */
async function drain(entry, processes, { quick }) {
  const limitMs = entry.drainMs === undefined ? undefined : entry.drainMs / (quick ? 2 : 1);
  const count = limitMs !== undefined ? LIMITED_JOBS : quick ? QUICK_JOBS : JOBS;
  const host = new Host(entry);
  try {
    await host.ask('prepare');
    await host.ask('enqueueAll', count);
    await comeToRest(entry.at);
    const workers = new Workers(entry, processes);
    try {
      const done = await untilDone(host, workers, count, limitMs);
      const handled = await workers.stop();
      const { value: completed } = await host.ask('countCompleted');
      if (limitMs === undefined) requireExact(host.name, count, handled, Number(completed));
      return { jobs: done.jobs, seconds: done.ms / 1000 };
    } finally {
      await workers.stop();
      workers.forget();
    }
  } finally {
    await host.close();
  }
}

/**
 * @param {Host} host
 * @param {Workers} workers
 * @param {number} count
 * @param {number | undefined} limitMs
 */
async function untilDone(host, workers, count, limitMs) {
  // Handlers are counted for nothing; the server is asked only when they have all run.
  while (workers.handled < count) {
    if (limitMs !== undefined && workers.elapsedMs >= limitMs && workers.handled > 0) {
      const { value } = await host.ask('countCompleted');
      return { jobs: Number(value), ms: workers.elapsedMs };
    }
    if (workers.haveEnded && workers.handled < count)
      throw new Error(`${host.name}: workers ended after ${workers.handled} of ${count}`);
    if (workers.elapsedMs > STUCK_MS)
      throw new Error(`${host.name}: ${workers.handled} of ${count} jobs after ${STUCK_MS / 1000} s`);
    await pause(LOOK_EVERY_MS);
  }
  while (!(await host.ask('isDone', count)).value) {
    if (workers.elapsedMs > STUCK_MS)
      throw new Error(`${host.name}: not all jobs are completed after ${STUCK_MS / 1000} s`);
    await pause(LOOK_EVERY_MS);
  }
  return { jobs: count, ms: workers.elapsedMs };
}

/**
 * @param {string} name
 * @param {number} count
 * @param {number} handled
 * @param {number} completed
 */
function requireExact(name, count, handled, completed) {
  if (handled === count && completed === count) return;
  throw new Error(`${name}: of ${count} jobs ${handled} ran and ${completed} are completed`);
}
