import { entriesOf } from '../contenders/list.mjs';
import { Host } from '../contenders/processes.mjs';

const WAYS = /** @type {const} */ ([
  { variant: 'one at a time', method: 'enqueueEach', jobs: 2_000, quickJobs: 300, limitedJobs: 1_000 },
  { variant: 'in bulk', method: 'enqueueAll', jobs: 100_000, quickJobs: 10_000, limitedJobs: 2_000 },
]);

/**
 * By one client, with a small payload, until the server has acknowledged the last.
 *
 * @type {import('../samples.mjs').Measure}
 */
export const measure = {
  name: 'enqueue',
  async run(context) {
    /** @type {import('../samples.mjs').Sample[]} */
    const samples = [];
    for (const entry of entriesOf(context)) {
      // The loop enqueues as Rowlock does.
      if (entry.name === 'bare-loop') continue;
      const host = new Host(entry);
      try {
        for await (const sample of enqueue(host, entry, context)) samples.push(sample);
      } catch (error) {
        context.fault(`enqueue: ${host.name}: ${error instanceof Error ? error.message : error}`);
      }
    }
    return samples;
  },
};

/**
 * Each way in turn; what was measured before a fault counts.
 *
 * @param {Host} host is closed in the end
 * @param {import('../contenders/processes.mjs').Placed} entry
 * @param {import('../samples.mjs').Context} context
 * @returns {AsyncGenerator<import('../samples.mjs').Sample>}
 */
async function* enqueue(host, entry, { quick, log }) {
  try {
    await host.ask('prepare');
    for (const { variant, method, jobs, quickJobs, limitedJobs } of WAYS) {
      const wanted = quick ? quickJobs : jobs;
      const count = entry.drainMs === undefined ? wanted : Math.min(wanted, limitedJobs);
      const { ms } = await host.ask(method, count);
      const value = (count * 1000) / ms;
      log(`  enqueue: ${entry.name} (${entry.server}), ${variant}: ${Math.round(value)}/s`);
      yield { measure: 'enqueue', contender: entry.name, server: entry.server, variant, value, unit: 'jobs/s' };
    }
  } finally {
    await host.close();
  }
}
