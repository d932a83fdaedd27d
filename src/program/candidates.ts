import type { Argument, Command, Option } from 'commander';

/** One way to go on at the cursor. */
export interface Candidate {
  value: string;
  description?: string;
}

/** What may stand at the cursor: one of these words, or the name of a file. */
export type Candidates = { kind: 'words'; words: Candidate[] } | { kind: 'files' };

/** A job type, begun as `typed`, behind what stands there already. Which there are is the settings' to say. */
export interface JobTypesWanted {
  kind: 'job types';
  after: string;
  typed: string;
}

const NONE: Candidates = { kind: 'words', words: [] };

/**
 * Reads a command line as commander would, up to its last word, and finds what that may become.
 *
 * @param typed the words after the program's name; the last one is being typed, and may be empty
 */
export function findCandidates(program: Command, typed: readonly string[]): Candidates | JobTypesWanted {
  const last = typed.at(-1) ?? '';
  const place = readPlace(program, typed.slice(0, -1));
  if (place === undefined) return NONE;
  const { command, option, used, operands, onlyOperands } = place;
  if (option !== undefined) return valuesOf(option, '', last);
  if (!onlyOperands && last.startsWith('-')) {
    const [, name = '', value = ''] = /^(--[^=]+)=(.*)$/s.exec(last) ?? [];
    if (name === '') return words(optionsOf(command).filter(isOpen(used)).map(toFlag), last);
    const named = findOption(command, name);
    return named === undefined || !takesValue(named) ? NONE : valuesOf(named, `${name}=`, value);
  }
  if (isHelp(command)) return operands === 0 ? words(commandsOf(program).map(toName), last) : NONE;
  if (command.commands.length > 0) return words(commandsOf(command).map(toName), last);
  const argument = command.registeredArguments[operands] ?? command.registeredArguments.findLast((a) => a.variadic);
  return argument === undefined ? NONE : valuesOf(argument, '', last);
}

/** Where the cursor stands. */
interface Place {
  command: Command;
  /** It is the value of this option. */
  option: Option | undefined;
  /** Options that have been given. */
  used: Set<string>;
  /** Arguments that have been given. */
  operands: number;
  /** Behind a `--`. */
  onlyOperands: boolean;
}

/** Undefined: there is no such command. */
function readPlace(program: Command, before: readonly string[]): Place | undefined {
  const place: Place = { command: program, option: undefined, used: new Set(), operands: 0, onlyOperands: false };
  for (const word of before) {
    if (place.option !== undefined) place.option = undefined;
    else if (word === '--') place.onlyOperands = true;
    else if (!place.onlyOperands && /^-./.test(word)) {
      const option = findOption(place.command, word.replace(/=.*$/s, ''));
      if (option === undefined) continue;
      place.used.add(option.attributeName());
      if (takesValue(option) && !word.includes('=')) place.option = option;
    } else if (place.command.commands.length > 0) {
      const next = commandsOf(place.command).find((command) => command.name() === word);
      if (next === undefined) return undefined;
      place.command = next;
    } else place.operands++;
  }
  return place;
}

function valuesOf(of: Option | Argument, after: string, typed: string): Candidates | JobTypesWanted {
  const name = of.name();
  if (of.argChoices !== undefined)
    return words(
      of.argChoices.map((value) => ({ value: after + value })),
      after + typed,
    );
  if (name === 'type') {
    // Where several types may stand with commas in between, the last is being typed.
    const listed = 'flags' in of && of.parseArg !== undefined ? /^.*,/s.exec(typed)?.[0] : undefined;
    return { kind: 'job types', after: after + (listed ?? ''), typed: typed.slice(listed?.length ?? 0) };
  }
  if (name === 'payload') return typed.startsWith('@') ? { kind: 'files' } : NONE;
  return 'flags' in of && /<(file|path)>/.test(of.flags) ? { kind: 'files' } : NONE;
}

const words = (all: Candidate[], typed: string): Candidates => ({
  kind: 'words',
  words: all.filter(({ value }) => value.startsWith(typed)),
});

/** Those that help shows; it knows of the commands and options that commander itself adds. */
const commandsOf = (command: Command): Command[] => command.createHelp().visibleCommands(command);

const optionsOf = (command: Command): Option[] => {
  const help = command.createHelp();
  help.showGlobalOptions = true;
  return [...help.visibleOptions(command), ...help.visibleGlobalOptions(command)];
};

const findOption = (command: Command, flag: string): Option | undefined =>
  optionsOf(command).find(({ long, short }) => long === flag || short === flag);

const takesValue = ({ required, optional }: Option): boolean => required || optional;

/** One that is given already is offered again only where it may be repeated. */
const isOpen =
  (used: Set<string>) =>
  (option: Option): boolean =>
    !used.has(option.attributeName()) || option.parseArg !== undefined;

/** commander's own, which is none of the program's commands. */
const isHelp = (command: Command): boolean => command.name() === 'help';

const toName = (command: Command): Candidate => ({ value: command.name(), description: command.description() });

const toFlag = (option: Option): Candidate => ({
  value: option.long ?? option.short ?? '',
  description: option.description,
});
