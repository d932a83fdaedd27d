/** The journal's line and the server's clock are read one after the other. */
const ROUNDING_MS = 2;

/** @type {import('./check.mjs').Check} */
export const notEarly = {
  name: 'not before its time',
  says: 'the last execution of a completed job began at its run_at or later, whatever the clocks of the workers said',
  find({ jobs, executions, expect }) {
    /** @type {Map<number, number>} by job */
    const lastBegin = new Map();
    for (const { job, beganAt } of executions) lastBegin.set(job, Math.max(beganAt, lastBegin.get(job) ?? beganAt));
    return jobs.flatMap(({ id, type, status, runAt }) => {
      const earlyMs = runAt - (lastBegin.get(id) ?? runAt);
      if (status !== 'completed' || expect.touched.has(id) || !(earlyMs > ROUNDING_MS)) return [];
      return [{ id, text: `${type}: it began ${earlyMs.toFixed(0)} ms before its run_at` }];
    });
  },
};
