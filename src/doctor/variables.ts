import type { Queryable } from '../db/pool';
import { select } from '../db/statements';

/** Values of the server by name, as it words them. SHOW leaves out what a family does not know, with no error. */
export interface Variables {
  /** As this session has it. */
  session(name: string): string | undefined;
  /** As a new session would have it. */
  global(name: string): string | undefined;
  /** A counter of the server. */
  status(name: string): number | undefined;
}

const VARIABLES = [
  'binlog_format',
  'innodb_flush_log_at_trx_commit',
  'innodb_read_only',
  'log_bin',
  'max_allowed_packet',
  'max_connections',
  'read_only',
  'sql_mode',
  'super_read_only',
  'sync_binlog',
  'system_time_zone',
  'time_zone',
  'transaction_isolation', // MySQL, and MariaDB from 11.1 on
  'tx_isolation', // MariaDB
];

const COUNTERS = ['Innodb_history_list_length', 'Threads_connected'];

export async function readVariables(on: Queryable): Promise<Variables> {
  const session = await show(on, 'show_session_variables', VARIABLES);
  const global = await show(on, 'show_global_variables', VARIABLES);
  const status = await show(on, 'show_global_status', COUNTERS);
  return {
    session: (name) => session.get(name),
    global: (name) => global.get(name),
    status(name) {
      const value = status.get(name);
      return value === undefined ? undefined : Number(value);
    },
  };
}

async function show(on: Queryable, statement: string, names: string[]): Promise<Map<string, string>> {
  const rows = await select<{ Variable_name: string; Value: string }>(on, statement, { names });
  return new Map(rows.map(({ Variable_name, Value }) => [Variable_name, Value]));
}
