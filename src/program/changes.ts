import { Argument, type Command } from 'commander';
import type { Execute } from './command';

/** What changes jobs and queues by hand. */
export function addChanges(program: Command, execute: Execute): void {
  program
    .command('retry')
    .description('make failed jobs pending again')
    .argument('[ids...]', 'the ids of the jobs')
    .option('--failed', 'all failed jobs but those that were cancelled')
    .option('--type <type>', 'with --failed: only this job type')
    .option('--jobs <file>', 'a module or JSON file of further job types')
    .option('--json', 'print JSON')
    .action((ids: string[], { jobs, ...options }, command: Command) =>
      execute(command, { jobs }, (settings) => {
        const { retryCommand }: typeof import('../commands/retry') = require('../commands/retry');
        return retryCommand(settings, ids, options);
      }),
    );

  program
    .command('cancel')
    .description('end pending jobs now, and running ones at the next heartbeat of their run')
    .argument('<ids...>', 'the ids of the jobs')
    .option('--jobs <file>', 'a module or JSON file of further job types')
    .option('--json', 'print JSON')
    .action((ids: string[], { jobs, ...options }, command: Command) =>
      execute(command, { jobs }, (settings) => {
        const { cancelCommand }: typeof import('../commands/cancel') = require('../commands/cancel');
        return cancelCommand(settings, ids, options);
      }),
    );

  program
    .command('pause')
    .description('let no run claim from a queue')
    .addArgument(new Argument('<queue>', 'the queue'))
    .option('--json', 'print JSON')
    .action((queue: string, options, command: Command) =>
      execute(command, {}, (settings) => {
        const { pauseCommand }: typeof import('../commands/pause') = require('../commands/pause');
        return pauseCommand(settings, queue, options);
      }),
    );

  program
    .command('resume')
    .description('let runs claim from a queue again')
    .addArgument(new Argument('<queue>', 'the queue'))
    .option('--json', 'print JSON')
    .action((queue: string, options, command: Command) =>
      execute(command, {}, (settings) => {
        const { resumeCommand }: typeof import('../commands/resume') = require('../commands/resume');
        return resumeCommand(settings, queue, options);
      }),
    );

  program
    .command('prune')
    .description('delete completed jobs and closed runs that ended long ago')
    .option('--older-than <age>', 'ended longer ago than this, such as 14d; at least 1h (default: ROWLOCK_PRUNE)')
    .option('--failed-older-than <age>', 'failed jobs too, cancelled ones with them, that ended longer ago than this')
    .option('--dry-run', 'show how much would go, and delete nothing')
    .option('--json', 'print JSON')
    .action((options, command: Command) =>
      execute(command, {}, (settings) => {
        const { pruneCommand }: typeof import('../commands/prune') = require('../commands/prune');
        return pruneCommand(settings, options);
      }),
    );
}
