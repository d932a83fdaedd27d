import type { Command } from 'commander';
import type { Overrides } from '../config';
import { addRunOptions, type Execute, type RunOptions } from './command';

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

  program
    .command('doctor')
    .description('check the server, the tables and this worker for what would break them')
    .option('--jobs <file>', 'a module or JSON file of further job types')
    .option('--json', 'print JSON')
    .addHelpText('after', DOCTOR_HELP)
    .action(({ jobs, ...options }: Overrides & { json?: boolean }, command: Command) =>
      execute(command, { jobs }, (settings) => {
        const { doctorCommand }: typeof import('../commands/doctor') = require('../commands/doctor');
        return doctorCommand(settings, { ...options, ...command.optsWithGlobals<{ envFile?: string }>() });
      }),
    );

  addRunOptions(
    program.command('crontab').description('print the crontab line for this machine, tried as cron would start it'),
  ).action(({ failOnError, ...overrides }: RunOptions, command: Command) =>
    execute(command, overrides, (settings) => {
      const { crontabCommand }: typeof import('../commands/crontab') = require('../commands/crontab');
      const { envFile } = command.optsWithGlobals<{ envFile?: string }>();
      return crontabCommand(settings, { envFile, overrides, failOnError });
    }),
  );
}

const DOCTOR_HELP = `
One line a check: ok, unknown (it cannot be checked; the line says why), warning (it works, and will hurt) or fault,
with what to do. It changes nothing. Exit code: 0 when nothing is wrong, 1 after a warning or a fault; 69 and 78 as
everywhere.`;
