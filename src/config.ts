import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parse } from 'dotenv';
import { ConfigError, messageOf, UsageError } from './errors';
import { type ConnectionSettings, serverName } from './server-url';
import {
  addressRanges,
  age,
  count,
  duration,
  logLevel,
  mailUrl,
  metricsPath,
  names,
  program,
  type Shape,
  serverUrl,
  text,
  type WebhookSecret,
  Wrong,
  webhookSecrets,
  webUrl,
} from './shapes';

export { type ConnectionSettings, serverName };

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
  /** A folder with templates of mails, as an absolute path. */
  mailTemplateDir?: string | undefined;
  /** A folder with the queries that give the recipients of a broadcast, as an absolute path. */
  mailSqlDir?: string | undefined;
  /** The folder of the files that payloads may name, as an absolute path. */
  jobFilesDir?: string | undefined;
  ffmpegPath?: string | undefined;
  webhookSecrets?: readonly WebhookSecret[] | undefined;
  /** Addresses and networks within this host's own reach that webhooks may go to. */
  webhookAllowPrivate?: readonly string[] | undefined;
  webhookTimeoutMs?: number | undefined;
  /** The tables that csv.import may write to. */
  csvImportTables?: string[] | undefined;
  /** Where reports are written, as an absolute path. */
  reportDir?: string | undefined;
  reportDatabase?: ConnectionSettings | undefined;
  /** A folder with the user's own report queries, as an absolute path. */
  reportSqlDir?: string | undefined;
}

export interface Settings {
  /** Undefined only where the command needs no database. */
  database?: ConnectionSettings | undefined;
  logLevel?: LogLevel | undefined;
  /** A file that gets each event as a JSON line, as an absolute path. */
  logFile?: string | undefined;
  /** The module or JSON file of further job types, as an absolute path. */
  jobsFile?: string | undefined;
  /** Completed jobs and runs that ended longer ago than this are deleted, once a day, by a run; undefined: none is. */
  pruneMs?: number | undefined;
  /** Told when a run starts and how it ended. Its path is a secret, as whoever knows it can ping. */
  pingUrl?: string | undefined;
  /** Gets the numbers of the queue after each run, for Prometheus; an absolute path. */
  metricsFile?: string | undefined;
  run: RunSettings;
  jobs: JobSettings;
}

/** Values from the command line, by option name (`maxRuns`); they stand above the environment. */
export type Overrides = Record<string, string | string[] | undefined>;

/** Each setting: its name on the command line (as commander spells it), its variable, default and shape. */
const RUN_OPTIONS = {
  queue: { variable: 'ROWLOCK_QUEUE', initial: '', shape: names },
  type: { variable: 'ROWLOCK_TYPE', initial: '', shape: names },
  concurrency: { variable: 'ROWLOCK_CONCURRENCY', initial: '10', shape: count(1, 10_000) },
  maxRuns: { variable: 'ROWLOCK_MAX_RUNS', initial: '1', shape: count(1, 1_000) },
  maxTime: { variable: 'ROWLOCK_MAX_TIME', initial: '10m', shape: duration(1) },
  maxJobs: { variable: 'ROWLOCK_MAX_JOBS', initial: undefined, shape: count(1, 1_000_000_000) },
  keepAlive: { variable: 'ROWLOCK_KEEP_ALIVE', initial: '0', shape: duration(0) },
  poll: { variable: 'ROWLOCK_POLL', initial: '200ms', shape: duration(10) },
  grace: { variable: 'ROWLOCK_GRACE', initial: '25s', shape: duration(0) },
  lease: { variable: 'ROWLOCK_LEASE', initial: '60s', shape: duration(1_000) },
} as const;

const OTHER_SETTINGS = {
  database: { variable: 'DATABASE_URL', shape: serverUrl },
  logLevel: { variable: 'LOG_LEVEL', shape: logLevel },
  logFile: { variable: 'LOG_FILE', shape: text, isPath: true },
  jobs: { variable: 'ROWLOCK_JOBS', shape: text, isPath: true },
  prune: { variable: 'ROWLOCK_PRUNE', shape: age },
  pingUrl: { variable: 'ROWLOCK_PING_URL', shape: webUrl },
  metricsFile: { variable: 'ROWLOCK_METRICS_FILE', shape: metricsPath, isPath: true },
  smtpUrl: { variable: 'SMTP_URL', shape: mailUrl },
  mailFrom: { variable: 'MAIL_FROM', shape: text },
  mailTemplateDir: { variable: 'MAIL_TEMPLATE_DIR', shape: text, isPath: true },
  mailSqlDir: { variable: 'MAIL_SQL_DIR', shape: text, isPath: true },
  jobFilesDir: { variable: 'JOB_FILES_DIR', shape: text, isPath: true },
  ffmpegPath: { variable: 'FFMPEG_PATH', shape: program },
  webhookSecrets: { variable: 'WEBHOOK_SECRET', shape: webhookSecrets },
  webhookAllowPrivate: { variable: 'WEBHOOK_ALLOW_PRIVATE', shape: addressRanges },
  webhookTimeout: { variable: 'WEBHOOK_TIMEOUT', shape: duration(1_000) },
  csvImportTables: { variable: 'CSV_IMPORT_TABLES', shape: names },
  reportDir: { variable: 'REPORT_DIR', shape: text, isPath: true },
  reportDatabase: { variable: 'REPORT_DATABASE_URL', shape: serverUrl },
  reportSqlDir: { variable: 'REPORT_SQL_DIR', shape: text, isPath: true },
} as const;

/** One setting, wherever it comes from. */
interface Setting {
  /** As commander spells it (`maxRuns`). */
  option: string;
  variable: string;
  isPath: boolean;
}

export const SETTINGS: readonly Setting[] = Object.entries({ ...RUN_OPTIONS, ...OTHER_SETTINGS }).map(
  ([option, setting]) => ({ option, variable: setting.variable, isPath: 'isPath' in setting }),
);

/** An option as it is typed: `--max-runs`. */
export const flagOf = (option: string): string =>
  `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

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
  const other = mapValues(OTHER_SETTINGS, (setting, option) => {
    const value = faults.collect(setting.shape, option, overrides[option], setting.variable, undefined);
    return 'isPath' in setting && typeof value === 'string' ? resolve(value) : value;
  }) as unknown as OtherSettings;
  faults.raise();
  return {
    database: other.database,
    logLevel: other.logLevel,
    logFile: other.logFile,
    jobsFile: other.jobs,
    pruneMs: other.prune,
    pingUrl: other.pingUrl,
    metricsFile: other.metricsFile,
    run,
    jobs: {
      smtpUrl: other.smtpUrl,
      mailFrom: other.mailFrom,
      mailTemplateDir: other.mailTemplateDir,
      mailSqlDir: other.mailSqlDir,
      jobFilesDir: other.jobFilesDir,
      ffmpegPath: other.ffmpegPath,
      webhookSecrets: other.webhookSecrets,
      webhookAllowPrivate: other.webhookAllowPrivate,
      webhookTimeoutMs: other.webhookTimeout,
      csvImportTables: other.csvImportTables,
      reportDir: other.reportDir,
      reportDatabase: other.reportDatabase ?? other.database,
      reportSqlDir: other.reportSqlDir,
    },
  };
}

type ValueOf<S> = S extends Shape<infer T> ? T : never;

type OtherSettings = { [K in keyof typeof OTHER_SETTINGS]: ValueOf<(typeof OTHER_SETTINGS)[K]['shape']> | undefined };

/** The database, for a command that cannot do without. */
export function requireDatabase(settings: Settings): ConnectionSettings {
  if (settings.database !== undefined) return settings.database;
  throw new ConfigError(
    'DATABASE_URL is not set; put DATABASE_URL=mysql://user:password@host:3306/database into .env, or name a file with --env-file',
  );
}

/** What a process that this one starts finds in its environment: the same, with this log level where none is set. */
export const environmentFor = (level: LogLevel | undefined): NodeJS.ProcessEnv => ({
  ...process.env,
  LOG_LEVEL: process.env['LOG_LEVEL'] || level,
});

/** A variable of this environment. An empty one counts as unset, as `LOG_FILE=` in an env file is meant. */
export const readVariable = (variable: string): string | undefined => process.env[variable] || undefined;

/** Variables that look like Rowlock's own and are none. Those of its tests, and of the programs that it starts, do not count. */
export const listUnknownVariables = (): string[] =>
  Object.keys(process.env).filter(
    (name) => /^ROWLOCK_(?!TEST_|JOB_ID$|ATTEMPT$)/.test(name) && !SETTINGS.some(({ variable }) => variable === name),
  );

/** Collects what is wrong with each setting, so that a user mends them all in one go. */
class Faults {
  private readonly onCommandLine: string[] = [];
  private readonly inEnvironment: string[] = [];

  collect(
    shape: Shape<unknown>,
    option: string,
    override: string | string[] | undefined,
    variable: string,
    initial: string | undefined,
  ): unknown {
    const raw = override ?? readVariable(variable) ?? initial;
    if (raw === undefined) return undefined;
    const value = shape(raw);
    if (!(value instanceof Wrong)) return value;
    const { why } = value;
    const shown = /URL|SECRET/.test(variable) ? '' : ` "${String(raw)}"`;
    if (override === undefined) this.inEnvironment.push(`${variable}${shown} ${why}`);
    else this.onCommandLine.push(`${flagOf(option)}${shown} ${why}`);
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
  for (const [name, value] of Object.entries(parseEnvFile(path))) process.env[name] ??= value;
}

/** What an env file sets, by variable. */
export function parseEnvFile(path: string): Record<string, string> {
  try {
    return parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new ConfigError(`the env file ${path} cannot be read (${messageOf(error)}); correct --env-file`, {
      cause: error,
    });
  }
}
