import { setTimeout as pause } from 'node:timers/promises';
import { withDatabase } from './databases.mjs';
import { requireCompleted } from './drain-state.mjs';
import { insertRows } from './insert-rows.mjs';
import { readMemory } from './process-readings.mjs';
import { runArguments, startRowlock } from './rowlock-process.mjs';

const JOBS = 1_000_000;
const QUICK_JOBS = 50_000;
const LOOK_EVERY_MS = 100;

/**
 * The memory of one run that drains a million no-op jobs: its peak, and whether it grows. It takes more than a
 * minute, and one round is enough.
 *
 * @type {import('../samples.mjs').Measure}
 */
export const measure = {
  name: 'memory',
  async run(context) {
    if (context.round > 1) return [];
    const jobs = context.quick ? QUICK_JOBS : JOBS;
    const { peak, flatness } = await withDatabase(context.urls.mariadb, async (database) => {
      await insertRows(database.connection, jobs);
      const readings = await watchMemory(startRowlock(runArguments(), database.url));
      await requireCompleted(database.connection, jobs);
      return readings;
    });
    const of = { measure: 'memory', contender: 'rowlock', server: 'mariadb' };
    return [
      { ...of, variant: 'peak', value: peak, unit: 'MB' },
      { ...of, variant: 'most in the second half of the run against the first', value: flatness, unit: '×' },
    ];
  },
};

/** @param {import('./rowlock-process.mjs').RowlockProcess} run */
async function watchMemory({ pid, ended }) {
  /** @type {number[]} */
  const readings = [];
  let peak = 0;
  let isOver = false;
  const over = ended.finally(() => {
    isOver = true;
  });
  while (!isOver) {
    const memory = readMemory(pid);
    if (memory !== undefined) {
      readings.push(memory.now);
      peak = memory.peak;
    }
    await pause(LOOK_EVERY_MS);
  }
  await over;
  const middle = readings.length >> 1;
  return { peak, flatness: Math.max(...readings.slice(middle)) / Math.max(...readings.slice(0, middle)) };
}
