import { type ConnectionSettings, type RunSettings, serverName } from '../config';
import { openPool } from '../db/pool';
import { requireSchema } from '../db/schema';
import { countDueByType } from '../queue/due';
import type { Registry } from '../worker/registry';

/** `rowlock run --dry-run`: prints what a run would claim, and writes nothing at all. */
export async function showDue(database: ConnectionSettings, run: RunSettings, registry: Registry): Promise<void> {
  const pool = openPool(database, { connections: 1, sessionTimeoutMs: run.lease });
  try {
    await requireSchema(pool, serverName(database));
    const due = await countDueByType(pool, { queues: run.queue, types: run.type });
    if (due.length === 0) process.stdout.write('nothing is due\n');
    for (const { queue, priority, type, due: count } of due) {
      const known =
        registry.get(type) === undefined ? ' (no job function here has this type: it would be put back)' : '';
      process.stdout.write(`would run ${count} of ${type} from queue ${queue}, priority ${priority}${known}\n`);
    }
  } finally {
    await pool.end();
  }
}
