import type { Pool } from '../../src/db/pool';
import { claimLane } from '../../src/queue/claim';
import type { ClaimedJob } from '../../src/queue/job';
import { Lane } from '../../src/queue/lanes';
import { openRun } from '../../src/queue/runs';
import type { Settlement } from '../../src/queue/settle';
import { createDatabase, type TestDatabase } from './database';
import { insertJob, readJob } from './rows';
import { openQueuePool } from './tables';

/** A database, and a pool as a run has it, for tests that call the queue and start no process. */
export interface QueueBench {
  db: TestDatabase;
  pool: Pool;
  /** Records a run with this id, as if it ran somewhere. */
  open(runId: number): Promise<void>;
  /** Claims from the start of the lane (default, 0). */
  claim(runId: number, limit?: number): Promise<ClaimedJob[]>;
  add(columns?: Record<string, unknown>): Promise<number>;
  job(id: number): Promise<Record<string, unknown>>;
  run(runId: number): Promise<Record<string, unknown>>;
  clear(): Promise<void>;
}

const open = new Set<Pool>();

afterAll(async () => {
  for (const pool of open) await pool.end();
});

export async function openQueueBench(connections = 4): Promise<QueueBench> {
  const db = await createDatabase();
  const pool = openQueuePool(db.urls.worker, connections);
  open.add(pool);
  return {
    db,
    pool,
    open: (runId) => openRun(pool, { runId, host: 'here', pid: 1, selection: '', leaseMs: 60_000 }),
    claim: (runId, limit = 100) => claimLane(pool, new Lane('default', 0), { runId, limit, isHeld: () => false }),
    add: (columns) => insertJob(db, columns),
    job: (id) => readJob(db, id),
    async run(runId) {
      const [rows] = await db.pool.query('SELECT * FROM background_job_runs WHERE id = ?', [runId]);
      return (rows as Record<string, unknown>[])[0] ?? {};
    },
    async clear() {
      for (const table of ['background_jobs', 'background_job_runs', 'background_job_errors']) {
        await db.pool.query('DELETE FROM ??', [table]);
      }
    },
  };
}

/** The outcome of a claimed job: completed, or as given. */
export const outcomeOf = (
  { id, attempts }: Pick<ClaimedJob, 'id' | 'attempts'>,
  given: Partial<Settlement> = {},
): Settlement => ({
  id,
  attempts,
  status: 'completed',
  count: 'completed',
  charged: true,
  crashed: false,
  cancelled: false,
  delayMs: 0,
  result: null,
  error: null,
  freeKey: false,
  ...given,
});

/** Puts it back for another attempt. */
export const RETRY = { status: 'pending', count: 'retried', error: 'not today' } as const;

/** Puts it back unharmed. */
export const RELEASE = { status: 'pending', count: 'released', charged: false } as const;
