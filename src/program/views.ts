import { type Command, Option } from 'commander';
import type { Execute } from './command';

/** What looks and changes nothing. */
export function addViews(program: Command, execute: Execute): void {
  program
    .command('status')
    .description('whether jobs are being run, and what waits')
    .option('--queue <queue>', 'only this queue')
    .option('--check', 'exit 1 when it is not OK')
    .option('--json', 'print JSON')
    .action((options, command: Command) =>
      execute(command, {}, (settings) => {
        const { statusCommand }: typeof import('../commands/status') = require('../commands/status');
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
        const { listCommand }: typeof import('../commands/list') = require('../commands/list');
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
        const { showCommand }: typeof import('../commands/show') = require('../commands/show');
        return showCommand(settings, id, options);
      }),
    );

  program
    .command('metrics')
    .description('the numbers of the queue, for Prometheus')
    .action((_options, command: Command) =>
      execute(command, {}, (settings) => {
        const { metricsCommand }: typeof import('../commands/metrics') = require('../commands/metrics');
        return metricsCommand(settings);
      }),
    );

  program
    .command('types')
    .description('the job types of this worker, with the JSON Schema of each payload')
    .option('--jobs <file>', 'a module or JSON file of further job types')
    .option('--json', 'print JSON')
    .action(({ jobs, ...options }, command: Command) =>
      execute(command, { jobs }, (settings) => {
        const { typesCommand }: typeof import('../commands/types') = require('../commands/types');
        return typesCommand(settings, options);
      }),
    );
}
