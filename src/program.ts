import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Argument, Command, Option } from 'commander';
import type { Overrides, Settings } from './config';

/** Runs a command with its settings: those of the environment under these overrides. */
export type Execute = (
  command: Command,
  overrides: Overrides,
  run: (settings: Settings) => Promise<number>,
) => Promise<void>;

/**
 * The command line. A command's module is loaded when the command is called and not before: what cron
 * starts every minute should not load what it does not need.
 */
export function buildProgram(execute: Execute): Command {
  const program = new Command('rowlock')
    .description('A jobs table, a crontab line and your job functions: a MySQL and MariaDB job queue.')
    .version(readVersion(), '-V, --version', 'print the version')
    .option('--env-file <path>', 'read settings from this file; without it from .env here')
    .helpOption('-h, --help', 'show this help')
    .helpCommand('help [command]', 'show the help of a command')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ outputError: () => undefined })
    .exitOverride()
    .addHelpText('after', EXAMPLES);
  addWork(program, execute);
  addViews(program, execute);
  addChanges(program, execute);
  return program;
}

const EXAMPLES = `
Examples:
  $ rowlock migrate
  $ rowlock enqueue email.send '{"to": "ann@example.com", "subject": "Hi", "text": "Hello"}'
  $ rowlock status
  * * * * *  cd /srv/app && rowlock run        (in the crontab)

Settings come from the environment, or from .env: DATABASE_URL=mysql://user:password@host:3306/database`;

/** Options of `run` that settings know by the same name. */
type RunOptions = Overrides & { id?: string[]; dryRun?: boolean; failOnError?: boolean };

function addWork(program: Command, execute: Execute): void {
  program
    .command('migrate')
    .description('create or update the tables; safe from many hosts at once')
    .option('--adopt', 'alter a background_jobs table that another app has made; every row is kept')
    .option('--status', 'show what is applied, and change nothing')
    .option('--json', 'print JSON')
    .action((options, command: Command) =>
      execute(command, {}, (settings) => {
        const { migrateCommand }: typeof import('./commands/migrate') = require('./commands/migrate');
        return migrateCommand(settings, options);
      }),
    );

  addRunOptions(
    program.command('run').description('run the jobs that are due, then exit; what cron starts every minute'),
  )
    .option('--id <id>', 'run this job now, whatever its time or its queue; repeatable', collect)
    .option('--dry-run', 'show what would run, and change nothing')
    .option('--fail-on-error', 'exit 1 if a job failed for good')
    .action(({ id, dryRun, failOnError, ...overrides }: RunOptions, command: Command) =>
      execute(command, overrides, (settings) => {
        const { parseIds }: typeof import('./commands/ids') = require('./commands/ids');
        const { runCommand }: typeof import('./commands/run') = require('./commands/run');
        return runCommand(settings, { ids: parseIds(id ?? []), dryRun, failOnError });
      }),
    );

  // Started by a run for a job that ended its process before.
  addRunOptions(program.command('child', { hidden: true })).action((overrides: Overrides, command: Command) =>
    execute(command, overrides, (settings) => {
      const { childCommand }: typeof import('./commands/child') = require('./commands/child');
      return childCommand(settings);
    }),
  );

  program
    .command('enqueue')
    .description('enqueue a job and print its id')
    .argument('<type>', 'the job type')
    .argument('[payload]', 'JSON, @file, or - for the standard input; without it NULL')
    .option('--queue <queue>', "the queue; default: the type's own, or default")
    .option('--priority <number>', 'within a queue the lower number runs sooner')
    .option('--run-at <time>', 'not before this time, such as 2027-01-31T06:00:00Z; without a zone it is UTC')
    .option('--in <duration>', 'not before this long from now, such as 5m')
    .option('--unique-key <key>', 'at most one job of this type has it; a second one prints the id of the first')
    .option('--max-attempts <number>', "default: the type's own")
    .option('--jobs <file>', 'a module or JSON file of further job types')
    .option('--json', 'print JSON')
    .action((type: string, payload: string | undefined, { jobs, ...options }, command: Command) =>
      execute(command, { jobs }, (settings) => {
        const { enqueueCommand }: typeof import('./commands/enqueue') = require('./commands/enqueue');
        return enqueueCommand(settings, type, payload, options);
      }),
    );
}

function addViews(program: Command, execute: Execute): void {
  program
    .command('status')
    .description('whether jobs are being run, and what waits')
    .option('--queue <queue>', 'only this queue')
    .option('--check', 'exit 1 when it is not OK')
    .option('--json', 'print JSON')
    .action((options, command: Command) =>
      execute(command, {}, (settings) => {
        const { statusCommand }: typeof import('./commands/status') = require('./commands/status');
        return statusCommand(settings, options);
      }),
    );

  program
    .command('list')
    .description('the newest jobs')
    .addOption(new Option('--status <status>', 'only these').choices(['pending', 'running', 'completed', 'failed']))
    .option('--type <type>', 'only this job type')
    .option('--queue <queue>', 'only this queue')
    .option('--limit <number>', 'at most this many', '20')
    .option('--json', 'print JSON')
    .action((options, command: Command) =>
      execute(command, {}, (settings) => {
        const { listCommand }: typeof import('./commands/list') = require('./commands/list');
        return listCommand(settings, options);
      }),
    );

  program
    .command('show')
    .description('all of one job: payload, result, failed attempts, run')
    .argument('<id>', 'the id of the job')
    .option('--json', 'print JSON')
    .action((id: string, options, command: Command) =>
      execute(command, {}, (settings) => {
        const { showCommand }: typeof import('./commands/show') = require('./commands/show');
        return showCommand(settings, id, options);
      }),
    );

  program
    .command('wait')
    .description('wait until the database answers')
    .option('--timeout <duration>', 'give up after this long', '60s')
    .action((options: { timeout: string }, command: Command) =>
      execute(command, {}, (settings) => {
        const { waitCommand }: typeof import('./commands/wait') = require('./commands/wait');
        return waitCommand(settings, options);
      }),
    );
}

function addChanges(program: Command, execute: Execute): void {
  program
    .command('retry')
    .description('make failed jobs pending again')
    .argument('[ids...]', 'the ids of the jobs')
    .option('--failed', 'all failed jobs but those that were cancelled')
    .option('--type <type>', 'with --failed: only this job type')
    .option('--jobs <file>', 'a module or JSON file of further job types')
    .action((ids: string[], { jobs, ...options }, command: Command) =>
      execute(command, { jobs }, (settings) => {
        const { retryCommand }: typeof import('./commands/retry') = require('./commands/retry');
        return retryCommand(settings, ids, options);
      }),
    );

  program
    .command('cancel')
    .description('end pending jobs now, and running ones at the next heartbeat of their run')
    .argument('<ids...>', 'the ids of the jobs')
    .option('--jobs <file>', 'a module or JSON file of further job types')
    .action((ids: string[], overrides: Overrides, command: Command) =>
      execute(command, overrides, (settings) => {
        const { cancelCommand }: typeof import('./commands/cancel') = require('./commands/cancel');
        return cancelCommand(settings, ids);
      }),
    );

  program
    .command('pause')
    .description('let no run claim from a queue')
    .addArgument(new Argument('<queue>', 'the queue'))
    .action((queue: string, _options, command: Command) =>
      execute(command, {}, (settings) => {
        const { pauseCommand }: typeof import('./commands/pause') = require('./commands/pause');
        return pauseCommand(settings, queue);
      }),
    );

  program
    .command('resume')
    .description('let runs claim from a queue again')
    .addArgument(new Argument('<queue>', 'the queue'))
    .action((queue: string, _options, command: Command) =>
      execute(command, {}, (settings) => {
        const { resumeCommand }: typeof import('./commands/resume') = require('./commands/resume');
        return resumeCommand(settings, queue);
      }),
    );
}

/** The values stay words: settings check them all, with those of the environment, at once. */
const addRunOptions = (command: Command): Command =>
  command
    .option('--queue <queues>', 'only these, in this order; repeatable, or with commas', collect)
    .option('--type <types>', 'only these job types; repeatable, or with commas', collect)
    .option('--concurrency <number>', 'jobs at once (default: 10)')
    .option('--max-runs <number>', 'runs at once on this host (default: 1)')
    .option('--max-time <duration>', 'claim nothing more after this (default: 10m)')
    .option('--max-jobs <number>', 'claim at most this many')
    .option('--keep-alive <duration>', 'when nothing is due, look again until this long after the start (default: 0)')
    .option('--poll <duration>', 'how often to look then (default: 200ms)')
    .option('--grace <duration>', 'how long jobs may go on after SIGTERM (default: 25s)')
    .option('--lease <duration>', 'after this without a sign of life another run takes over (default: 60s)')
    .option('--jobs <file>', 'a module or JSON file of further job types');

const collect = (words: string, before: string[] = []): string[] => [...before, ...words.split(',')];

function readVersion(): string {
  const { version } = JSON.parse(readFileSync(join(__dirname, '..', 'package.json'), 'utf8')) as { version: string };
  return version;
}
