import type { Settings } from '../config';
import type { Pool } from '../db/pool';
import type { Health } from '../queue/health';
import type { Variables } from './variables';

/**
 * `ok`; `unknown`: it cannot be checked, mostly for want of a privilege; `warning`: it works, and will hurt;
 * `fault`: jobs are not run, are lost, or run twice.
 */
export type State = 'ok' | 'unknown' | 'warning' | 'fault';

/** What one check has found, in one line. */
export interface Finding {
  state: State;
  detail: string;
  /** What to do about it; null: nothing. */
  mend: string | null;
}

/** What is examined: a database, its server, and how this worker is set up. */
export interface Subject {
  pool: Pool;
  /** The server's name, for messages. */
  server: string;
  settings: Settings;
  /** The file that the settings were read from, as an absolute path; undefined: none. */
  envFile: string | undefined;
  /** Read once, by the first check that asks. */
  health(): Promise<Health>;
  variables(): Promise<Variables>;
}

/** One question. It changes nothing; a ConfigError that it throws is its finding. */
export interface Check {
  /** As it stands in the output; people search for it. */
  name: string;
  /** It looks for what the migrations have made: before they have, and on another app's table, it says nothing. @default false */
  needsSchema?: boolean;
  /** The finding where the server denies what is asked. @default that this user lacks a privilege */
  whenDenied?: Finding;
  run(subject: Subject): Promise<Finding>;
}

export const ok = (detail: string): Finding => ({ state: 'ok', detail, mend: null });

export const unknown = (detail: string, mend: string | null = null): Finding => ({ state: 'unknown', detail, mend });

export const warning = (detail: string, mend: string): Finding => ({ state: 'warning', detail, mend });

export const fault = (detail: string, mend: string): Finding => ({ state: 'fault', detail, mend });
