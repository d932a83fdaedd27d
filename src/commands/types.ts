import type { Settings } from '../config';
import { EXIT, type ExitCode } from '../errors';
import { harmless } from '../harmless';
import { leftOutJobs } from '../jobs';
import { loadRegistry } from '../jobs/load-registry';
import { sayDuration, sayTime } from '../words';
import type { Schedule } from '../worker/job-type';
import { FIRST_RETRY_MS, LONGEST_RETRY_MS } from '../worker/outcome';
import type { JobType } from '../worker/registry';
import { readTicks } from '../worker/ticks';
import { readPayloadSchema } from './payload-schema';
import { print, toJsonLine } from './print';

/** `rowlock types [--jobs FILE] [--json]`: the job types of this worker. It needs no database. */
export async function typesCommand(settings: Settings, { json = false }: { json?: boolean }): Promise<ExitCode> {
  const types = (await loadRegistry(settings)).types();
  const known = new Set(types.map(({ type }) => type));
  // A type of the job file may take a built-in one's name.
  const leftOut = leftOutJobs(settings.jobs).filter(({ type }) => !known.has(type));
  if (json) print(toJsonLine({ types: types.map(toPlain), left_out: leftOut.map(toPlainLeftOut) }));
  else {
    const parts =
      types.length === 0
        ? ['no job types are known here; name a file of them with --jobs, or ROWLOCK_JOBS']
        : types.map(describe);
    const notes = leftOut.map(({ type, missing }) => `${type} is left out: set ${missing.join(' and ')}`);
    print([...parts, ...(notes.length > 0 ? [notes.join('\n')] : [])].join('\n\n'));
  }
  return EXIT.ok;
}

type LeftOut = ReturnType<typeof leftOutJobs>[number];

const toPlainLeftOut = ({ type, missing }: LeftOut) => ({ job_type: type, missing });

function toPlain(jobType: JobType) {
  const payload = readPayloadSchema(jobType);
  return {
    job_type: jobType.type,
    kind: jobType.kind,
    queue: jobType.queue,
    priority: jobType.priority,
    timeout_ms: jobType.timeoutMs,
    max_attempts: jobType.maxAttempts,
    backoff_ms: jobType.backoffMs ?? null,
    unique: jobType.unique,
    schedule:
      jobType.schedule === undefined
        ? null
        : { ...withoutPayload(jobType.schedule), next_tick: nextTick(jobType.schedule) },
    payload: payload.kind === 'any' ? 'any JSON' : 'schema',
    payload_schema: payload.kind === 'shown' ? payload.schema : null,
  };
}

function describe(jobType: JobType): string {
  const { type, kind, queue, priority, timeoutMs, maxAttempts, unique, schedule } = jobType;
  const attempts = maxAttempts === 1 ? 'one attempt' : `${maxAttempts} attempts, ${sayBackoff(jobType)}`;
  const lines = [
    `${kind === 'function' ? 'a function' : `the program ${jobType.definition.command[0]}`}; queue ${queue}, priority ${priority}, timeout ${sayDuration(timeoutMs)}, ${attempts}`,
    ...(schedule === undefined ? [] : [saySchedule(schedule)]),
    ...(unique === 'active' ? ['a unique_key holds while its job is active'] : []),
    ...sayPayload(jobType),
  ];
  return [harmless(type), ...lines.map((line) => `  ${harmless(line)}`)].join('\n');
}

const withoutPayload = ({ cron, timezone }: Schedule) => ({ cron, timezone });

/** By the clock of this host: the database, whose clock decides, is not asked. */
const nextTick = ({ cron, timezone }: Schedule): Date | null => readTicks(cron, timezone).next(new Date()) ?? null;

function saySchedule(schedule: Schedule): string {
  const next = nextTick(schedule);
  return `schedule ${schedule.cron} (${schedule.timezone})${next === null ? '' : `, next ${sayTime(next, new Date())}`}`;
}

const sayBackoff = ({ backoffMs }: JobType): string =>
  backoffMs === undefined
    ? `retried after ${sayDuration(FIRST_RETRY_MS)}, tripled each time, at most ${sayDuration(LONGEST_RETRY_MS)}`
    : `retried after ${backoffMs.map(sayDuration).join(', ')}`;

function sayPayload(jobType: JobType): string[] {
  const payload = readPayloadSchema(jobType);
  if (payload.kind === 'any') return ['payload: any JSON'];
  if (payload.kind === 'hidden') return ['payload: a schema that cannot be shown'];
  const { $schema: _, ...schema } = payload.schema;
  return `payload: ${layOut(schema)}`.split('\n');
}

const LONGEST_LINE = 100;

/** JSON with whatever fits on a line on one. */
function layOut(value: unknown, indent = ''): string {
  const flat = flatten(value);
  if (typeof value !== 'object' || value === null || indent.length + flat.length <= LONGEST_LINE) return flat;
  const inner = `${indent}  `;
  const isList = Array.isArray(value);
  const members = isList
    ? value.map((member) => layOut(member, inner))
    : Object.entries(value).map(([key, member]) => `${JSON.stringify(key)}: ${layOut(member, inner)}`);
  const [open, close] = isList ? ['[', ']'] : ['{', '}'];
  return `${open}\n${members.map((member) => inner + member).join(',\n')}\n${indent}${close}`;
}

function flatten(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flatten).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(([key, member]) => `${JSON.stringify(key)}: ${flatten(member)}`);
  return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`;
}
