import { type Duration, parseDuration } from '../duration';
import { messageOf } from '../errors';
import { OWN_NAMES } from '../queue/job';
import type { CommandJob, FunctionJob } from './define';
import { toJson } from './payload';
import { isTimezone, readTicks } from './ticks';

interface Common {
  type: string;
  /** @default an hour */
  timeoutMs: number;
  /** At least 1. @default 8 */
  maxAttempts: number;
  backoffMs?: readonly number[];
  queue: string;
  priority: number;
  unique: 'kept' | 'active';
  schedule?: Schedule;
}

export interface Schedule {
  cron: string;
  /** An IANA name. @default 'UTC' */
  timezone: string;
  payload?: unknown;
}

/** A job definition with every default filled in and nothing left to check. */
export type JobType =
  | (Common & { kind: 'function'; definition: FunctionJob })
  | (Common & { kind: 'command'; definition: CommandJob });

/** A definition as it came from outside: anything. */
type Raw = Record<string, unknown>;

/** Takes what is wrong with a definition, in words. */
type Complain = (fault: string) => void;

const COMMON_KEYS = ['type', 'timeout', 'maxAttempts', 'backoff', 'queue', 'priority', 'unique', 'schedule'];
const FUNCTION_KEYS = [...COMMON_KEYS, 'payload', 'run', 'close'];
const COMMAND_KEYS = [...COMMON_KEYS, 'command'];
const SCHEDULE_KEYS = ['cron', 'timezone', 'payload'];

const HOUR_MS = 3_600_000;
const LONGEST_NAME = 255;
/** With its time zone it must fit into background_job_schedules.cron. */
const LONGEST_CRON = 200;
/** setTimeout counts in 32 bits: a longer time would fire at once. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;
/** run_at is a TIMESTAMP, which ends in 2038. */
const LONGEST_BACKOFF_MS = 365 * 24 * HOUR_MS;
const MOST_ATTEMPTS = 2 ** 32 - 1;

/**
 * Fills in the defaults of a definition. Every fault is complained of; with a fault the answer is undefined.
 * What a definition is, is told by its shape alone: it may come from another copy of this package, or from JSON.
 */
export function readDefinition(given: unknown, complain: Complain): JobType | undefined {
  if (!isObject(given)) {
    complain(`is ${given === null ? 'null' : `a ${typeof given}`}, no job definition such as { type, run }`);
    return undefined;
  }
  let sound = true;
  const fault: Complain = (words) => {
    sound = false;
    complain(words);
  };
  const kind = readKind(given, fault);
  if (String(given['type']).startsWith(OWN_NAMES))
    fault(`begins with "${OWN_NAMES}", which is kept for Rowlock itself; rename it`);
  if (kind !== undefined) checkKeys(given, kind === 'function' ? FUNCTION_KEYS : COMMAND_KEYS, '', fault);
  const backoffMs = readBackoff(given['backoff'], fault);
  const schedule = readSchedule(given['schedule'], fault);
  const common: Common = {
    type: readName(given['type'], 'type', undefined, fault),
    timeoutMs: readTimeout(given['timeout'], fault),
    maxAttempts: Math.max(1, readInteger(given['maxAttempts'], 'maxAttempts', 8, 0, MOST_ATTEMPTS, fault)),
    queue: readName(given['queue'], 'queue', 'default', fault),
    priority: readInteger(given['priority'], 'priority', 0, -32_768, 32_767, fault),
    unique: readUnique(given['unique'], fault),
    ...(backoffMs && { backoffMs }),
    ...(schedule && { schedule }),
  };
  if (!sound || kind === undefined) return undefined;
  return kind === 'function'
    ? { ...common, kind, definition: given as unknown as FunctionJob }
    : { ...common, kind, definition: given as unknown as CommandJob };
}

function readKind(given: Raw, fault: Complain): 'function' | 'command' | undefined {
  const { run, command } = given;
  if (run !== undefined && command !== undefined) fault('has both run and command; leave one out');
  else if (command !== undefined) {
    checkCommand(command, fault);
    return 'command';
  } else if (run === undefined) fault('has neither run, a function, nor command, a list of words');
  else {
    if (typeof run !== 'function') fault('run is no function');
    checkFunctionParts(given, fault);
    return 'function';
  }
  return undefined;
}

function checkCommand(command: unknown, fault: Complain): void {
  const isList = Array.isArray(command) && command.every((word) => typeof word === 'string');
  if (!isList) fault('command is no list of words such as ["php", "/srv/app/job.php"]');
  else if (command.length === 0 || command[0] === '') fault('command is empty; its first word is the program');
  else if (command.some((word: string) => word.includes('\0'))) fault('command has a NUL character in it');
}

function checkFunctionParts({ payload, close }: Raw, fault: Complain): void {
  if (close !== undefined && typeof close !== 'function') fault('close is no function');
  if (payload === undefined) return;
  // Some libraries have schemas that are functions.
  const standard = isObject(payload) || typeof payload === 'function' ? (payload as Raw)['~standard'] : undefined;
  if (!isObject(standard) || typeof standard['validate'] !== 'function') {
    fault('payload is no Standard Schema; use one of zod (3.24 or newer), valibot or arktype');
  }
}

function checkKeys(given: Raw, known: string[], of: string, fault: Complain): void {
  for (const key of Object.keys(given)) {
    if (!known.includes(key)) fault(`has the unknown key "${of}${key}"; did you mean "${of}${nearest(key, known)}"?`);
  }
}

function nearest(name: string, known: string[]): string {
  const { closest } = require('fastest-levenshtein') as typeof import('fastest-levenshtein');
  return closest(name, known);
}

function readName(given: unknown, key: string, initial: string | undefined, fault: Complain): string {
  if (given === undefined && initial !== undefined) return initial;
  if (typeof given !== 'string') fault(`${key} is missing, or no text`);
  else if (given.trim() === '') fault(`${key} is empty`);
  // The column counts characters, which are code points there.
  else if ([...given].length > LONGEST_NAME) fault(`${key} is longer than ${LONGEST_NAME} characters`);
  else if (given.endsWith(' ')) fault(`${key} ends with a space, which the database does not see`);
  else if (!given.isWellFormed()) fault(`${key} has half of a character in it`);
  else return given;
  return '';
}

function readTimeout(given: unknown, fault: Complain): number {
  const ms = given === undefined ? HOUR_MS : durationOf(given);
  if (ms === undefined) fault(`timeout ${shown(given)} is no duration such as 30s, 10m or 4h`);
  else if (ms < 1 || ms > LONGEST_TIMEOUT_MS) fault(`timeout ${shown(given)} is not within 1ms and 24d`);
  else return ms;
  return HOUR_MS;
}

function readBackoff(given: unknown, fault: Complain): number[] | undefined {
  if (given === undefined) return undefined;
  if (!Array.isArray(given) || given.length === 0) {
    fault('backoff is no list of durations such as ["1m", "10m"]');
    return undefined;
  }
  return given.map((entry) => {
    const ms = durationOf(entry);
    if (ms !== undefined && ms <= LONGEST_BACKOFF_MS) return ms;
    fault(`backoff ${shown(entry)} is no duration such as 1m or 6h, at most 365d`);
    return 0;
  });
}

function readInteger(
  given: unknown,
  key: string,
  initial: number,
  least: number,
  most: number,
  fault: Complain,
): number {
  if (given === undefined) return initial;
  if (typeof given === 'number' && Number.isInteger(given) && given >= least && given <= most) return given;
  fault(`${key} ${shown(given)} is no whole number from ${least} to ${most}`);
  return initial;
}

function readUnique(given: unknown, fault: Complain): 'kept' | 'active' {
  if (given === undefined || given === 'kept' || given === 'active') return given ?? 'kept';
  fault(`unique ${shown(given)} is neither "kept" nor "active"`);
  return 'kept';
}

function readSchedule(given: unknown, fault: Complain): Schedule | undefined {
  if (given === undefined) return undefined;
  if (!isObject(given)) {
    fault('schedule is no object such as { cron: "0 6 * * *" }');
    return undefined;
  }
  checkKeys(given, SCHEDULE_KEYS, 'schedule.', fault);
  const { cron, timezone = 'UTC', payload } = given;
  const isKnownZone = typeof timezone === 'string' && isTimezone(timezone);
  if (!isKnownZone) fault(`schedule.timezone ${shown(timezone)} is unknown; give one such as "UTC" or "Europe/Berlin"`);
  const why = findCronFault(cron, isKnownZone ? timezone : 'UTC');
  if (why !== undefined) fault(`schedule.cron ${shown(cron)} is no cron text such as "0 6 * * *": ${why}`);
  try {
    toJson(payload);
  } catch (error) {
    fault(`schedule.payload cannot be stored: ${messageOf(error)}`);
  }
  return {
    cron: String(cron).trim().replaceAll(/\s+/g, ' '),
    timezone: String(timezone),
    ...('payload' in given && { payload }),
  };
}

function findCronFault(given: unknown, timezone: string): string | undefined {
  if (typeof given !== 'string') return 'it is no text';
  if (given.length > LONGEST_CRON) return `it is longer than ${LONGEST_CRON} characters`;
  try {
    readTicks(given, timezone);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message.replace(/^CronPattern: /, '') : messageOf(error);
  }
}

const durationOf = (given: unknown): number | undefined =>
  typeof given === 'string' ? parseDuration(given as Duration) : undefined;

const isObject = (given: unknown): given is Raw => typeof given === 'object' && given !== null && !Array.isArray(given);

const shown = (given: unknown): string => JSON.stringify(messageOf(given).slice(0, 100));
