import { resolve } from 'node:path';
import { requireDatabase, type Settings, serverName } from '../config';
import { openPool } from '../db/pool';
import { select } from '../db/statements';
import { CHECKS } from '../doctor/checks';
import { type Examined, examine } from '../doctor/examine';
import { openSubject } from '../doctor/subject';
import { EXIT, type ExitCode, oneLine } from '../errors';
import { harmless } from '../harmless';
import { print, toJsonLine } from './print';

export interface DoctorOptions {
  json?: boolean;
  /** As it was given with `--env-file`. */
  envFile?: string;
}

/** Two sessions try SKIP LOCKED, a third reads. */
const CONNECTIONS = 3;

const SESSION_TIMEOUT_MS = 60_000;

/** `rowlock doctor [--json]`: exit 1 when something is not as it should be. */
export async function doctorCommand(
  settings: Settings,
  { json = false, envFile = '.env' }: DoctorOptions,
): Promise<ExitCode> {
  const database = requireDatabase(settings);
  const pool = openPool(database, { connections: CONNECTIONS, sessionTimeoutMs: SESSION_TIMEOUT_MS });
  const found: Examined[] = [];
  try {
    await select(pool, 'answer'); // a server that is away, or refuses the login, is told as by every command
    for await (const examined of examine(
      openSubject({ pool, server: serverName(database), settings, envFile: resolve(envFile) }),
    )) {
      found.push(examined);
      if (!json) print(toLine(examined));
    }
  } finally {
    await pool.end();
  }
  if (json) print(toJsonLine(found));
  return found.every(({ state }) => state === 'ok' || state === 'unknown') ? EXIT.ok : EXIT.failed;
}

const STATE_WIDTH = 'warning'.length;
const NAME_WIDTH = Math.max(...CHECKS.map(({ name }) => name.length));

/** Told one by one, as some take their time: the widths are known before. */
function toLine({ check, state, detail, mend }: Examined): string {
  const words = mend === null ? detail : `${detail}; ${mend}`;
  return `${state.padEnd(STATE_WIDTH)}  ${check.padEnd(NAME_WIDTH)}  ${oneLine(harmless(words))}`;
}
