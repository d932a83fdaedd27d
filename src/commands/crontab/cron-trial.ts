import { spawn } from 'node:child_process';
import { statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { ConfigError, EXIT, InternalError, messageOf, UnreachableError, UsageError } from '../../errors';
import { signalGroup } from '../../worker/process-group';

/** All that cron puts on the PATH. */
export const CRON_PATH = '/usr/bin:/bin';

/** By then the next tick has come. */
const DEADLINE_MS = 60_000;

/**
 * Runs a command as cron would: by sh, with a bare environment, in the home folder, without a terminal.
 *
 * @param deadlineMs a command that takes longer is ended. @default 60000
 * @throws a RowlockError with what the command said, unless it exits 0 in time
 */
export async function tryAsCron(command: string, deadlineMs = DEADLINE_MS): Promise<void> {
  const { username, homedir } = findUser();
  const child = spawn('/bin/sh', ['-c', command], {
    cwd: homedir,
    env: { SHELL: '/bin/sh', PATH: CRON_PATH, HOME: homedir, LOGNAME: username },
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  let isLate = false;
  const deadline = setTimeout(() => {
    isLate = true;
    if (child.pid !== undefined) signalGroup(child.pid, 'SIGKILL');
  }, deadlineMs);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  });
  clearTimeout(deadline);
  if (isLate) throw new UnreachableError(`under cron the line does not end within ${deadlineMs / 1_000} s`);
  if (code !== 0) throw failureOf(code, summarise(said) || `exit code ${code}`);
}

function findUser(): { username: string; homedir: string } {
  const user = readUser();
  if (statSync(user.homedir, { throwIfNoEntry: false })?.isDirectory()) return user;
  throw new ConfigError(`the home folder ${user.homedir} is not there, and cron starts its commands in it; create it`);
}

function readUser(): { username: string; homedir: string } {
  try {
    return userInfo();
  } catch (error) {
    throw new ConfigError('this user has no entry in /etc/passwd, so cron starts nothing for it; add the user', {
      cause: error,
    });
  }
}

/** Rowlock says it in one line; a program that fails before that says it somewhere among a stack's. */
function summarise(said: string): string {
  const lines = said.split('\n').filter((line) => line.trim() !== '');
  const own = lines.find((line) => line.startsWith('rowlock: '));
  return messageOf(own?.slice('rowlock: '.length) ?? lines.find((line) => /Error\b/.test(line)) ?? lines[0] ?? '');
}

function failureOf(code: number | null, said: string): Error {
  const words = `under cron the line fails: ${said}`;
  if (code === EXIT.unreachable) return new UnreachableError(words);
  if (code === EXIT.usage) return new UsageError(words);
  if (code === EXIT.internal) return new InternalError(words);
  return new ConfigError(words);
}
