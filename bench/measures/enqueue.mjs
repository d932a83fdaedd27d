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
      const host = new Host(entry, entry.node === 'ours' ? process.execPath : context.peersNode);
      try {
        await host.ask('prepare');
        for (const { variant, method, jobs, quickJobs, limitedJobs } of WAYS) {
          const wanted = context.quick ? quickJobs : jobs;
          const count = entry.drainMs === undefined ? wanted : Math.min(wanted, limitedJobs);
          const { ms } = await host.ask(method, count);
          const value = (count * 1000) / ms;
          context.log(`  enqueue: ${entry.name} (${entry.server}), ${variant}: ${Math.round(value)}/s`);
          samples.push({
            measure: 'enqueue',
            contender: entry.name,
            server: entry.server,
            variant,
            value,
            unit: 'jobs/s',
          });
        }
      } catch (error) {
        context.fault(`enqueue: ${host.name}: ${error instanceof Error ? error.message : error}`);
      } finally {
        await host.close();
      }
    }
    return samples;
  },
};
