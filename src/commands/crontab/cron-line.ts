import { UsageError } from '../../errors';

/** Debian's crontab takes no longer command, and other crons cut it off without a word. */
const LONGEST_COMMAND_BYTES = 998;

/** A program and its arguments as a command for sh. */
export function toShellCommand(words: readonly string[]): string {
  if (words.some((word) => /[\n\r]/.test(word))) {
    throw new UsageError('a line break cannot stand in a crontab line; put the setting into the env file');
  }
  return words.map(quote).join(' ');
}

/**
 * One word for sh. A backslash never stands before a %: cron takes that pair for a plain %, and counts
 * backslashes before it in pairs.
 */
function quote(word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word;
  return `'${word.replaceAll("'", "'\\''").replaceAll('\\%', "\\''%")}'`;
}

/** The same command as it stands in a crontab line, where cron would end it at a bare %. */
export function toCronCommand(shellCommand: string): string {
  const command = shellCommand.replaceAll('%', '\\%');
  const bytes = Buffer.byteLength(command);
  if (bytes <= LONGEST_COMMAND_BYTES) return command;
  throw new UsageError(
    `the command has ${bytes} bytes, and cron takes ${LONGEST_COMMAND_BYTES} at most; put its options into the env file, such as ROWLOCK_QUEUE=…`,
  );
}
