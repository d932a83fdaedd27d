import type { Command } from 'commander';
import type { Overrides } from '../config';
import { addRunOptions, collect, type Execute, type RunOptions } from './command';

type OneRunOptions = RunOptions & { id?: string[]; dryRun?: boolean; json?: boolean };

type ScheduleOptions = RunOptions & { cron: string; timezone?: string };

/** What moves jobs: the tables, runs, and new jobs. */
export function addWork(program: Command, execute: Execute): void {
  program
    .command('migrate')
    .description('create or update the tables; safe from many hosts at once')
    .option('--adopt', 'alter a background_jobs table that another app has made; every row is kept')
    .option('--status', 'show what is applied, and change nothing')
    .option('--json', 'print JSON')
    .action((options, command: Command) =>
      execute(command, {}, (settings) => {
        const { migrateCommand }: typeof import('../commands/migrate') = require('../commands/migrate');
        return migrateCommand(settings, options);
      }),
    );

  addRunOptions(
    program.command('run').description('run the jobs that are due, then exit; what cron starts every minute'),
  )
    .option('--id <id>', 'run this job now, whatever its time or its queue; repeatable', collect)
    .option('--dry-run', 'show what would run, and change nothing')
    .option('--json', 'with --dry-run: print JSON')
    .action(({ id, dryRun, failOnError, json, ...overrides }: OneRunOptions, command: Command) =>
      execute(command, overrides, (settings) => {
        const { parseIds }: typeof import('../commands/ids') = require('../commands/ids');
        const { runCommand }: typeof import('../commands/run') = require('../commands/run');
        return runCommand(settings, { ids: parseIds(id ?? []), dryRun, failOnError, json });
      }),
    );

  addRunOptions(
    program.command('schedule').description('start a run every minute, in place of cron; for a container without one'),
  )
    .option('--cron <text>', 'when runs start', '* * * * *')
    .option('--timezone <zone>', "of --cron, such as Europe/Berlin; default: this machine's")
    .action(({ cron, timezone, failOnError, ...overrides }: ScheduleOptions, command: Command) =>
      execute(command, overrides, (settings) => {
        const { scheduleCommand }: typeof import('../commands/schedule') = require('../commands/schedule');
        return scheduleCommand(settings, { cron, timezone, overrides, failOnError });
      }),
    );

  // Started by a run for a job that ended its process before.
  program
    .command('child', { hidden: true })
    .option('--jobs <file>')
    .option('--grace <duration>')
    .option('--lease <duration>')
    .action((overrides: Overrides, command: Command) =>
      execute(command, overrides, (settings) => {
        const { childCommand }: typeof import('../commands/child') = require('../commands/child');
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
        const { enqueueCommand }: typeof import('../commands/enqueue') = require('../commands/enqueue');
        return enqueueCommand(settings, type, payload, options);
      }),
    );
}
