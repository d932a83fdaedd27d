import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parse } from 'dotenv';
import { z } from 'zod';
import { parseDuration } from './duration';
import { ConfigError, messageOf, UsageError } from './errors';

/** Where the database is, as mysql2 takes it. Holds the password: never printed. */
export interface ConnectionSettings {
  host: string;
  port: number;
  user: string;
  password?: string;
  database: string;
  socketPath?: string;
  ssl?: { ca?: string };
}

/** What one run may do. Times are in milliseconds. */
export interface RunSettings {
  /** Queues to serve, in this order; empty: every queue, in turn. */
  queue: string[];
  /** Job types to take; empty: every type. */
  type: string[];
  /** Jobs executed at once. @default 10 */
  concurrency: number;
  /** Runs that may claim at once for the same queues and types on this host. @default 1 */
  maxRuns: number;
  /** After this a run claims nothing more, gives up its slot and finishes what it holds. @default 10m */
  maxTime: number;
  /** Jobs claimed at most; undefined: no limit. */
  maxJobs?: number | undefined;
  /** An idle run polls until this long after its start; 0: it ends when nothing is due. @default 0 */
  keepAlive: number;
  /** Pause between two looks of an idle run. @default 200ms */
  poll: number;
  /** How long jobs may go on after SIGTERM, and a function after its abort. @default 25s */
  grace: number;
  /** A run that has not renewed its lease for this long may be closed by another. @default 60s */
  lease: number;
}

export type LogLevel = 'error' | 'warn' | 'info' | 'debug';

/** Settings of the job types that ship with Rowlock; a type whose setting is absent is not registered. */
export interface JobSettings {
  smtpUrl?: string | undefined;
  mailFrom?: string | undefined;
  reportDir?: string | undefined;
  reportDatabase?: ConnectionSettings | undefined;
  /** A folder with the user's own report queries, as an absolute path. */
  reportSqlDir?: string | undefined;
}

export interface Settings {
  /** Undefined only where the command needs no database. */
  database?: ConnectionSettings | undefined;
  logLevel?: LogLevel | undefined;
  logFile?: string | undefined;
  /** The module or JSON file of further job types, as an absolute path. */
  jobsFile?: string | undefined;
  run: RunSettings;
  jobs: JobSettings;
}

/** Values from the command line, by option name (`maxRuns`); they stand above the environment. */
export type Overrides = Record<string, string | string[] | undefined>;

const duration = (atLeastMs: number) =>
  z.string().transform((words, context) => {
    const ms = parseDuration(words);
    if (ms === undefined || ms < atLeastMs || ms > LONGEST_MS) {
      const least = atLeastMs > 0 ? `, at least ${atLeastMs} ms` : '';
      context.addIssue({ code: 'custom', message: `is no duration such as 200ms, 60s or 10m${least}` });
      return z.NEVER;
    }
    return ms;
  });

/** setTimeout counts in 32 bits: a longer time would fire at once. */
const LONGEST_MS = 2 ** 31 - 1;

const count = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d+$/, `is no whole number from ${least} to ${most}`)
    .transform(Number)
    .refine((n) => n >= least && n <= most, `is no whole number from ${least} to ${most}`);

const names = z
  .union([z.string().transform((text) => text.split(',')), z.array(z.string())])
  .transform((all) => [...new Set(all.map((name) => name.trim()).filter((name) => name !== ''))]);

const logLevel = z.enum(['error', 'warn', 'info', 'debug'], 'is none of error, warn, info, debug');

const serverUrl = z.string().transform((url, context) => {
  const found = parseServerUrl(url);
  if (typeof found !== 'string') return found;
  context.addIssue({ code: 'custom', message: found });
  return z.NEVER;
});

const mailUrl = z
  .string()
  .refine(
    (url) => /^smtps?:$/.test(URL.parse(url)?.protocol ?? ''),
    'is not of the form smtp://user:password@host:587',
  );

/** Each setting: its name on the command line (as commander spells it), its variable, default and shape. */
const RUN_OPTIONS = {
  queue: { variable: 'ROWLOCK_QUEUE', initial: '', shape: names },
  type: { variable: 'ROWLOCK_TYPE', initial: '', shape: names },
  concurrency: { variable: 'ROWLOCK_CONCURRENCY', initial: '10', shape: count(1, 10_000) },
  maxRuns: { variable: 'ROWLOCK_MAX_RUNS', initial: '1', shape: count(1, 1_000) },
  maxTime: { variable: 'ROWLOCK_MAX_TIME', initial: '10m', shape: duration(1) },
  maxJobs: { variable: 'ROWLOCK_MAX_JOBS', initial: undefined, shape: count(1, 1_000_000_000).optional() },
  keepAlive: { variable: 'ROWLOCK_KEEP_ALIVE', initial: '0', shape: duration(0) },
  poll: { variable: 'ROWLOCK_POLL', initial: '200ms', shape: duration(10) },
  grace: { variable: 'ROWLOCK_GRACE', initial: '25s', shape: duration(0) },
  lease: { variable: 'ROWLOCK_LEASE', initial: '60s', shape: duration(1_000) },
} as const;

const optional = <T extends z.ZodType>(shape: T) => shape.optional();

const OTHER_SETTINGS = {
  database: { variable: 'DATABASE_URL', shape: optional(serverUrl) },
  logLevel: { variable: 'LOG_LEVEL', shape: optional(logLevel) },
  logFile: { variable: 'LOG_FILE', shape: optional(z.string()) },
  jobs: { variable: 'ROWLOCK_JOBS', shape: optional(z.string()) },
  smtpUrl: { variable: 'SMTP_URL', shape: optional(mailUrl) },
  mailFrom: { variable: 'MAIL_FROM', shape: optional(z.string()) },
  reportDir: { variable: 'REPORT_DIR', shape: optional(z.string()) },
  reportDatabase: { variable: 'REPORT_DATABASE_URL', shape: optional(serverUrl) },
  reportSqlDir: { variable: 'REPORT_SQL_DIR', shape: optional(z.string()) },
} as const;

/**
 * Reads the environment, after the env file, under the options of the command line. Everything is
 * checked before anything starts, and every fault is named at once.
 *
 * @param envFile a file that must exist; without it `.env` in the working directory, if there is one
 */
export function loadSettings(overrides: Overrides = {}, envFile?: string): Settings {
  readEnvFile(envFile);
  const faults = new Faults();
  const run = mapValues(RUN_OPTIONS, ({ variable, initial, shape }, option) =>
    faults.collect(shape, option, overrides[option], variable, initial),
  ) as unknown as RunSettings;
  const other = mapValues(OTHER_SETTINGS, ({ variable, shape }, option) =>
    faults.collect(shape, option, overrides[option], variable, undefined),
  ) as unknown as OtherSettings;
  faults.raise();
  return {
    database: other.database,
    logLevel: other.logLevel,
    logFile: other.logFile,
    jobsFile: other.jobs === undefined ? undefined : resolve(other.jobs),
    run,
    jobs: {
      smtpUrl: other.smtpUrl,
      mailFrom: other.mailFrom,
      reportDir: other.reportDir === undefined ? undefined : resolve(other.reportDir),
      reportDatabase: other.reportDatabase ?? other.database,
      reportSqlDir: other.reportSqlDir === undefined ? undefined : resolve(other.reportSqlDir),
    },
  };
}

type OtherSettings = { [K in keyof typeof OTHER_SETTINGS]: z.output<(typeof OTHER_SETTINGS)[K]['shape']> };

/** The database, for a command that cannot do without. */
export function requireDatabase(settings: Settings): ConnectionSettings {
  if (settings.database !== undefined) return settings.database;
  throw new ConfigError(
    'DATABASE_URL is not set; put DATABASE_URL=mysql://user:password@host:3306/database into .env, or name a file with --env-file',
  );
}

/** The server's name for messages: never the user, never the password. */
export const serverName = ({ host, port, socketPath }: ConnectionSettings): string => socketPath ?? `${host}:${port}`;

/** Collects what is wrong with each setting, so that a user mends them all in one go. */
class Faults {
  private readonly onCommandLine: string[] = [];
  private readonly inEnvironment: string[] = [];

  collect(
    shape: z.ZodType,
    option: string,
    override: string | string[] | undefined,
    variable: string,
    initial: string | undefined,
  ): unknown {
    // An empty variable counts as unset, as `LOG_FILE=` in an env file is meant.
    const raw = override ?? (process.env[variable] || initial);
    const parsed = shape.safeParse(raw);
    if (parsed.success) return parsed.data;
    const why = parsed.error.issues[0]?.message ?? 'is wrong';
    const shown = /URL/.test(variable) ? '' : ` "${String(raw)}"`;
    if (override === undefined) this.inEnvironment.push(`${variable}${shown} ${why}`);
    else this.onCommandLine.push(`--${option.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}${shown} ${why}`);
    return undefined;
  }

  raise(): void {
    const all = [...this.onCommandLine, ...this.inEnvironment].join('; ');
    if (this.onCommandLine.length > 0) throw new UsageError(all);
    if (this.inEnvironment.length > 0) throw new ConfigError(all);
  }
}

function mapValues<K extends string, V>(of: Record<K, V>, to: (value: V, key: K) => unknown): Record<K, unknown> {
  return Object.fromEntries((Object.keys(of) as K[]).map((key) => [key, to(of[key], key)])) as Record<K, unknown>;
}

/** What is set already stands: an env file fills gaps and overrides nothing. */
function readEnvFile(envFile: string | undefined): void {
  const path = resolve(envFile ?? '.env');
  if (envFile === undefined && !existsSync(path)) return;
  let content: string;
  try {
    content = readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigError(`the env file ${path} cannot be read (${messageOf(error)}); correct --env-file`, {
      cause: error,
    });
  }
  for (const [name, value] of Object.entries(parse(content))) process.env[name] ??= value;
}

/** The parts of a server's URL, or what is wrong with it in words that hold no part of it. */
function parseServerUrl(text: string): ConnectionSettings | string {
  const form =
    'is not of the form mysql://user:password@host:3306/database (percent-encode special characters of the password)';
  // With a bare @ or # of a password the rest would be taken for the host, and be told.
  if (text.split('@').length > 2 || text.includes('#')) return form;
  const url = URL.parse(text);
  if (url === null || !/^(mysql|mariadb):$/.test(url.protocol) || url.hostname === '') return form;
  const database = decode(url.pathname.slice(1));
  const user = decode(url.username);
  const password = decode(url.password);
  if (database === undefined || user === undefined || password === undefined) return form;
  if (database === '' || database.includes('/')) return 'names no database; end it with /database';
  const unknown = [...url.searchParams.keys()].find((key) => !['ssl', 'ssl-ca', 'socket'].includes(key));
  if (unknown !== undefined) return `has the unknown parameter "${unknown}" (known: ssl, ssl-ca, socket)`;
  const socketPath = url.searchParams.get('socket');
  const ca = url.searchParams.get('ssl-ca');
  const encrypted = ca !== null || (url.searchParams.get('ssl') ?? 'false') !== 'false';
  if (ca !== null && !existsSync(ca)) return 'names an ssl-ca file that does not exist';
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? 3306 : Number(url.port),
    user,
    ...(password === '' ? {} : { password }),
    database,
    ...(socketPath === null ? {} : { socketPath }),
    ...(encrypted ? { ssl: ca === null ? {} : { ca: readFileSync(ca, 'utf8') } } : {}),
  };
}

function decode(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined; // a bare % in it: the caller names the fault
  }
}
