import type { Command } from 'commander';
import type { Execute } from './command';

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
}
