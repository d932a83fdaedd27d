import type { Command } from 'commander';
import type { Overrides } from '../config';
import { addRunOptions, type Execute } from './command';

type CrontabOptions = Overrides & { failOnError?: boolean };

/** What is about this machine and its server. */
export function addMachine(program: Command, execute: Execute): void {
  program
    .command('wait')
    .description('wait until the database answers')
    .option('--timeout <duration>', 'give up after this long', '60s')
    .action((options: { timeout: string }, command: Command) =>
      execute(command, {}, (settings) => {
        const { waitCommand }: typeof import('../commands/wait') = require('../commands/wait');
        return waitCommand(settings, options);
      }),
    );

  addRunOptions(
    program.command('crontab').description('print the crontab line for this machine, tried as cron would start it'),
  )
    .option('--fail-on-error', 'exit 1 if a job failed for good')
    .action(({ failOnError, ...overrides }: CrontabOptions, command: Command) =>
      execute(command, overrides, (settings) => {
        const { crontabCommand }: typeof import('../commands/crontab') = require('../commands/crontab');
        const { envFile } = command.optsWithGlobals<{ envFile?: string }>();
        return crontabCommand(settings, { envFile, overrides, failOnError });
      }),
    );
}
