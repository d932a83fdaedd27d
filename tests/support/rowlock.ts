import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const CLI = join(__dirname, '..', '..', 'dist', 'cli.js');

export interface RowlockOptions {
  /** All that the command finds in its environment besides PATH and HOME: nothing of the developer's own. */
  env?: Record<string, string>;
  /** Its standard input. @default '' */
  input?: string;
  /** @default an empty folder, so that no `.env` is read */
  cwd?: string;
  /** A command that takes longer is killed and the test fails. @default 60000 */
  deadlineMs?: number;
}

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** A command that is running: to be signalled, frozen, looked at, and waited for. */
export interface Running {
  child: ChildProcess;
  pid: number;
  /** What it has printed so far. */
  stdout(): string;
  stderr(): string;
  ended: Promise<Ended>;
}

const alive = new Set<Running>();
let emptyFolder: string | undefined;

afterAll(async () => {
  for (const { child } of alive) child.kill('SIGKILL');
  await Promise.all([...alive].map(({ ended }) => ended));
  if (emptyFolder !== undefined) rmSync(emptyFolder, { recursive: true, force: true });
});

/** Runs `rowlock …` to its end. */
export async function rowlock(args: string[], options: RowlockOptions = {}): Promise<Ended> {
  const { deadlineMs = 60_000 } = options;
  const running = start(args, options);
  let late = false;
  const deadline = setTimeout(() => {
    late = true;
    running.child.kill('SIGKILL');
  }, deadlineMs);
  const ended = await running.ended;
  clearTimeout(deadline);
  if (!late) return ended;
  throw new Error(`rowlock ${args.join(' ')} did not end within ${deadlineMs} ms\n${ended.stdout}${ended.stderr}`);
}

/** Starts `rowlock …` and does not wait. Killed at the end of the file at the latest. */
export function start(args: string[], { env = {}, input = '', cwd }: RowlockOptions = {}): Running {
  const child = spawn(process.execPath, [CLI, ...args], { env: { ...bareEnvironment(), ...env }, cwd: cwd ?? empty() });
  const printed = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    printed.stderr += text;
  });
  child.stdin.on('error', ignoreClosedPipe).end(input);
  const running: Running = {
    child,
    pid: child.pid ?? 0,
    stdout: () => printed.stdout,
    stderr: () => printed.stderr,
    ended: new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => {
        alive.delete(running);
        resolve({ code, signal, ...printed });
      });
    }),
  };
  alive.add(running);
  return running;
}

/** A command may end without reading what it is given. */
function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
}

function bareEnvironment(): Record<string, string> {
  const { PATH = '', HOME = '', ROWLOCK_TEST_COVERAGE } = process.env;
  return { PATH, HOME, ...(ROWLOCK_TEST_COVERAGE && { NODE_V8_COVERAGE: ROWLOCK_TEST_COVERAGE }) };
}

function empty(): string {
  emptyFolder ??= mkdtempSync(join(tmpdir(), 'rowlock-test-'));
  return emptyFolder;
}
