import { Command } from 'commander';
import { readVersion } from '../version';
import { addChanges } from './changes';
import type { Execute } from './command';
import { addCompletion } from './completion';
import { addMachine } from './machine';
import { addViews } from './views';
import { addWork } from './work';

export type { Execute };

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
  addMachine(program, execute);
  addCompletion(program, execute);
  return program;
}

const EXAMPLES = `
Examples:
  $ rowlock migrate
  $ rowlock enqueue email.send '{"to": "ann@example.com", "subject": "Hi", "text": "Hello"}'
  $ rowlock status
  $ (crontab -l; rowlock crontab) | crontab -        (a run every minute)

Settings come from the environment, or from .env: DATABASE_URL=mysql://user:password@host:3306/database`;
