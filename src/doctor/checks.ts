import { binaryLog } from './binary-log';
import { claimPlan } from './claim-plan';
import { clock } from './clock';
import { completedRows } from './completed-rows';
import { connections } from './connections';
import { durability } from './durability';
import { envFile } from './env-file';
import type { Check } from './finding';
import { history } from './history';
import { jobTypes } from './job-types';
import { keys } from './keys';
import { openTransactions } from './open-transactions';
import { packetSize } from './packet-size';
import { privileges } from './privileges';
import { replica } from './replica';
import { runs } from './runs';
import { schema } from './schema';
import { server } from './server';
import { session } from './session';
import { settings } from './settings';
import { skipLocked } from './skip-locked';
import { strandedRows } from './stranded-rows';
import { tables } from './tables';
import { timeZone } from './time-zone';
import { unheldRows } from './unheld-rows';
import { unknownTypes } from './unknown-types';
import { waiting } from './waiting';
import { writable } from './writable';

/** In the order in which they are told: the server, the tables, what goes on there, this worker. */
export const CHECKS: readonly Check[] = [
  server,
  writable,
  replica,
  binaryLog,
  durability,
  packetSize,
  connections,
  clock,
  timeZone,
  session,
  schema,
  tables,
  keys,
  privileges,
  skipLocked,
  claimPlan,
  openTransactions,
  history(),
  runs,
  waiting,
  unheldRows,
  strandedRows,
  unknownTypes,
  completedRows(),
  jobTypes,
  settings,
  envFile,
];
