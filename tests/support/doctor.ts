import { resolve } from 'node:path';
import type { Settings } from '../../src/config';
import { examine } from '../../src/doctor/examine';
import type { Check, Finding, Subject } from '../../src/doctor/finding';
import { openSubject } from '../../src/doctor/subject';
import { settingsFor, withPool } from './tables';

export interface Patient {
  settings?: Partial<Settings>;
  envFile?: string;
}

/** What `rowlock doctor` finds, by the name of the check. */
export const diagnose = (url: string, patient: Patient = {}): Promise<Record<string, Finding>> =>
  withSubject(url, patient, async (subject) => {
    const found: Record<string, Finding> = {};
    for await (const { check, ...finding } of examine(subject)) found[check] = finding;
    return found;
  });

/** What one check finds, as it is called here: with other limits than the command's. */
export const ask = (url: string, check: Check, patient: Patient = {}): Promise<Finding> =>
  withSubject(url, patient, (subject) => check.run(subject));

function withSubject<T>(
  url: string,
  { settings, envFile }: Patient,
  ask: (subject: Subject) => Promise<T>,
): Promise<T> {
  return withPool(url, (pool) =>
    ask(
      openSubject({
        pool,
        server: 'the server',
        settings: { ...settingsFor(url), ...settings },
        envFile: envFile === undefined ? undefined : resolve(envFile),
      }),
    ),
  );
}

/** Those that are not as they should be. */
export const listTrouble = (found: Record<string, Finding>): Record<string, Finding> =>
  Object.fromEntries(Object.entries(found).filter(([, { state }]) => state !== 'ok'));
