import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PACKAGE_FOLDER } from '../folders';
import { print } from './print';

const FOLDER = join(PACKAGE_FOLDER, 'completion');

/** `rowlock completion bash|zsh|fish`. */
export function printScript(shell: string): void {
  print(readFileSync(join(FOLDER, `rowlock.${shell}`), 'utf8').trimEnd());
}

/** Beside words there may be files; those the shell knows best. */
type Found = { kind: 'words'; words: { value: string; description?: string }[] } | { kind: 'files' };

/**
 * Answers the script, a line each: `=word`, a tab and what it means, or `@files`. A job module may print what it
 * likes when it is loaded: the script passes over other lines.
 */
export function printCandidates(found: Found): void {
  if (found.kind === 'files') return void print('@files');
  const lines = found.words
    .filter(({ value }) => !/\p{Cc}/u.test(value))
    .map(({ value, description = '' }) => (description === '' ? `=${value}` : `=${value}\t${description}`));
  if (lines.length > 0) print(lines.join('\n'));
}
