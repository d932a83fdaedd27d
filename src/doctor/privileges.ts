import { isDenied } from '../db/faults';
import type { Queryable } from '../db/pool';
import { type Parameters, readPlan } from '../db/statements';
import { type Check, fault, ok } from './finding';

interface Need {
  verbs: string;
  table: string;
  statement: string;
  values: Parameters;
}

const RUN = { runId: 0, leaseMs: 0, host: '', pid: 0, selection: '' };
const SCHEDULE = { type: '', text: '', tick: new Date(1000) };
const OLD = { ids: [0], status: 'completed', cutoff: new Date(1000) };

/** The server asks for the same privileges to explain a statement as to run it, down to the columns. */
const WORKER: Need[] = [
  { verbs: 'SELECT', table: 'background_job_migrations', statement: 'list_migrations', values: {} },
  { verbs: 'SELECT', table: 'background_jobs', statement: 'find_jobs_by_id', values: { ids: [0] } },
  {
    verbs: 'INSERT',
    table: 'background_jobs',
    statement: 'insert_jobs',
    values: { rows: [['', null, '', 0, new Date(1000), null, null]] },
  },
  { verbs: 'UPDATE', table: 'background_jobs', statement: 'mark_claimed', values: { ...RUN, ids: [0] } },
  { verbs: 'UPDATE', table: 'background_jobs', statement: 'settle_jobs', values: { ...RUN, outcomes: '[]' } },
  { verbs: 'SELECT', table: 'background_job_runs', statement: 'find_last_run', values: {} },
  { verbs: 'INSERT', table: 'background_job_runs', statement: 'insert_run', values: RUN },
  { verbs: 'UPDATE', table: 'background_job_runs', statement: 'renew_run', values: RUN },
  { verbs: 'INSERT', table: 'background_job_errors', statement: 'insert_errors', values: { rows: [[0, 0, 0, '']] } },
  { verbs: 'SELECT', table: 'background_job_queues', statement: 'find_paused_queues', values: {} },
  { verbs: 'SELECT', table: 'background_job_schedules', statement: 'find_schedules', values: { types: [''] } },
  { verbs: 'INSERT', table: 'background_job_schedules', statement: 'start_schedule', values: SCHEDULE },
  { verbs: 'UPDATE', table: 'background_job_schedules', statement: 'advance_schedule', values: SCHEDULE },
];

const PRUNING: Need[] = [
  { verbs: 'DELETE', table: 'background_jobs', statement: 'delete_ended_jobs', values: OLD },
  { verbs: 'DELETE', table: 'background_job_errors', statement: 'delete_errors', values: OLD },
  { verbs: 'DELETE', table: 'background_job_runs', statement: 'delete_closed_runs', values: OLD },
];

/** Whether a run can do its work as this user. Nothing is executed. */
export const privileges: Check = {
  name: 'privileges',
  async run({ pool, settings: { pruneMs } }) {
    const missing = new Map<string, Set<string>>();
    for (const need of pruneMs === undefined ? WORKER : [...WORKER, ...PRUNING]) {
      if (await mayDo(pool, need)) continue;
      missing.set(need.table, (missing.get(need.table) ?? new Set()).add(need.verbs));
    }
    if (missing.size === 0) return ok('all that a run needs');
    const words = [...missing].map(([table, verbs]) => `${[...verbs].join(', ')} on ${table}`);
    return fault(
      `this user cannot run jobs, it lacks ${words.join('; ')}`,
      'GRANT it what sql/grants.sql has for the worker, or let DATABASE_URL name the worker',
    );
  },
};

async function mayDo(on: Queryable, { statement, values }: Need): Promise<boolean> {
  try {
    await readPlan(on, statement, values);
    return true;
  } catch (error) {
    if (!isDenied(error)) throw error;
    return false;
  }
}
