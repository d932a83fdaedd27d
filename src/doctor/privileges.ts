import { isDenied } from '../db/faults';
import type { Queryable } from '../db/pool';
import { type Parameters, readPlan } from '../db/statements';
import { ConfigError } from '../errors';
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

/** What a run needs and this user lacks, by table; empty: nothing. Nothing is executed. */
async function findMissingPrivileges(on: Queryable, prunes: boolean): Promise<Map<string, Set<string>>> {
  const missing = new Map<string, Set<string>>();
  for (const need of prunes ? [...WORKER, ...PRUNING] : WORKER) {
    if (await mayDo(on, need)) continue;
    missing.set(need.table, (missing.get(need.table) ?? new Set()).add(need.verbs));
  }
  return missing;
}

/** Whether a run can do its work as this user. */
export const privileges: Check = {
  name: 'privileges',
  async run({ pool, settings: { pruneMs } }) {
    const missing = await findMissingPrivileges(pool, pruneMs !== undefined);
    if (missing.size === 0) return ok('all that a run needs');
    return fault(`this user cannot run jobs, it lacks ${sayMissing(missing)}`, MEND);
  },
};

/**
 * Refuses a user that cannot run jobs.
 *
 * @throws ConfigError
 */
export async function requirePrivileges(on: Queryable, prunes: boolean): Promise<void> {
  const missing = await findMissingPrivileges(on, prunes);
  if (missing.size > 0)
    throw new ConfigError(`the user of DATABASE_URL cannot run jobs, it lacks ${sayMissing(missing)}; ${MEND}`);
}

const MEND = 'GRANT it what sql/grants.sql has for the worker, or let DATABASE_URL name the worker';

const sayMissing = (missing: Map<string, Set<string>>): string =>
  [...missing].map(([table, verbs]) => `${[...verbs].join(', ')} on ${table}`).join('; ');

async function mayDo(on: Queryable, { statement, values }: Need): Promise<boolean> {
  try {
    await readPlan(on, statement, values);
    return true;
  } catch (error) {
    if (!isDenied(error)) throw error;
    return false;
  }
}
