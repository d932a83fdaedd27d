import { Argument, type Command } from 'commander';
import { RowlockError } from '../errors';
import type { Candidates, JobTypesWanted } from './candidates';
import type { Execute } from './command';

/** What a shell asks while somebody types. */
export function addCompletion(program: Command, execute: Execute): void {
  program
    .command('completion')
    .description('print a script that completes commands, options and job types in a shell')
    .addArgument(new Argument('<shell>', 'the shell').choices(['bash', 'zsh', 'fish']))
    .addHelpText('after', INSTALL)
    .action((shell: string) => {
      const { printScript }: typeof import('../commands/completion') = require('../commands/completion');
      printScript(shell);
    });

  // Asked by that script. What goes wrong is nothing that a half-typed line should be torn apart for.
  program
    .command('complete', { hidden: true })
    .argument('[words...]')
    .action(async (typed: string[], _options, command: Command) => {
      const { findCandidates }: typeof import('./candidates') = require('./candidates');
      const { printCandidates }: typeof import('../commands/completion') = require('../commands/completion');
      const found = findCandidates(program, typed);
      printCandidates(found.kind === 'job types' ? await findJobTypes(found, typed, command) : found);
    });

  /** The settings are those that the typed line names. A registry that cannot be loaded has no types. */
  async function findJobTypes(
    { after, typed: begun }: JobTypesWanted,
    typed: readonly string[],
    command: Command,
  ): Promise<Candidates> {
    let words: { value: string }[] = [];
    program.setOptionValue('envFile', valueIn(typed, '--env-file'));
    try {
      await execute(command, { jobs: valueIn(typed, '--jobs') }, async (settings) => {
        const { loadRegistry }: typeof import('../jobs/load-registry') = require('../jobs/load-registry');
        words = (await loadRegistry(settings)).types().map(({ type }) => ({ value: type }));
        return 0;
      });
    } catch (error) {
      if (!(error instanceof RowlockError)) throw error;
      return { kind: 'words', words: [] };
    }
    const fitting = words.filter(({ value }) => value.startsWith(begun));
    return { kind: 'words', words: fitting.map(({ value }) => ({ value: after + value })) };
  }
}

/** The value of an option among half-typed words. */
function valueIn(words: readonly string[], option: string): string | undefined {
  for (const [index, word] of words.entries()) {
    if (word === option) return words[index + 1];
    if (word.startsWith(`${option}=`)) return word.slice(option.length + 1);
  }
  return undefined;
}

const INSTALL = `
In ~/.bashrc:                   source <(rowlock completion bash)
In ~/.zshrc, after compinit:    source <(rowlock completion zsh)
In ~/.config/fish/config.fish:  rowlock completion fish | source`;
