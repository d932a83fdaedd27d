import { type ConnectionSettings, type RunSettings, serverName } from '../config';
import { openPool } from '../db/pool';
import { requireSchema } from '../db/schema';
import { countDueByType, type DueJobs } from '../queue/due';
import { sayName } from '../words';
import type { Registry } from '../worker/registry';
import { print, toJsonLine } from './print';

/** `rowlock run --dry-run [--json]`: prints what a run would claim, and writes nothing at all. */
export async function showDue(
  database: ConnectionSettings,
  run: RunSettings,
  registry: Registry,
  json: boolean,
): Promise<void> {
  const pool = openPool(database, { connections: 1, sessionTimeoutMs: run.lease });
  try {
    await requireSchema(pool, serverName(database));
    const due = await countDueByType(pool, { queues: run.queue, types: run.type });
    const isKnown = (type: string): boolean => registry.get(type) !== undefined;
    if (json) return void print(toJsonLine(due.map((jobs) => toPlain(jobs, isKnown(jobs.type)))));
    if (due.length === 0) print('nothing is due');
    for (const { queue, priority, type, due: count } of due) {
      const known = isKnown(type) ? '' : ' (no job function here has this type: it would be put back)';
      print(`would run ${count} of ${sayName(type)} from queue ${sayName(queue)}, priority ${priority}${known}`);
    }
  } finally {
    await pool.end();
  }
}

const toPlain = ({ queue, priority, type, due }: DueJobs, isKnown: boolean) => ({
  queue,
  priority,
  job_type: type,
  due,
  known: isKnown,
});
