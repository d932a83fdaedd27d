import { UsageError } from '../../errors';

/** Debian's crontab takes no longer command, and other crons cut it off without a word. */
const LONGEST_COMMAND_BYTES = 998;

/** A program and its arguments as the command of a crontab line. */
export function toCronCommand(words: readonly string[]): string {
  if (words.some((word) => /[\n\r]/.test(word))) {
    throw new UsageError('a line break cannot stand in a crontab line; put the setting into the env file');
  }
  const command = words.map(quote).join(' ').replaceAll('%', '\\%');
  const bytes = Buffer.byteLength(command);
  if (bytes <= LONGEST_COMMAND_BYTES) return command;
  throw new UsageError(
    `the command has ${bytes} bytes, and cron takes ${LONGEST_COMMAND_BYTES} at most; put its options into the env file, such as ROWLOCK_QUEUE=…`,
  );
}

/**
 * One word for sh. A backslash never stands before a %: cron takes that pair for a plain %, and counts
 * backslashes before it in pairs.
 */
function quote(word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word;
  return `'${word.replaceAll("'", "'\\''").replaceAll('\\%', "\\''%")}'`;
}

/** What cron hands to sh of a command: `\%` is a plain %, and a bare one would end it. */
export function asCronReads(command: string): string {
  let read = '';
  for (let at = 0; at < command.length && command[at] !== '%'; at++) {
    if (command[at] === '\\') {
      at++;
      if (command[at] !== '%') read += '\\';
    }
    read += command[at] ?? '';
  }
  return read;
}
