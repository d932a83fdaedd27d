import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Readable } from 'node:stream';
import { readVariable } from '../config';
import { endGroup, endGroupOnExit, signalGroup } from '../worker/process-group';

export interface FfmpegOptions {
  /** The program, as a path or as a name that is looked for in PATH. */
  program: string;
  args: readonly string[];
  /** The input, open for reading: ffmpeg has it as {@link INPUT}, whatever becomes of its name meanwhile. */
  fd: number;
  /** Aborted: the program is asked to end, and ended a second later. */
  signal: AbortSignal;
  /** Each line of standard output. */
  onOutput?: (line: string) => void;
  /** Each line of the level info on standard error. */
  onInfo?: (line: string) => void;
}

export interface FfmpegEnd {
  /** 0: it went well. */
  code: number;
  /** The signal that ended it. */
  signal?: string;
  /** The last of its warnings and errors. */
  words: string;
}

/** Where the child finds the input. */
export const INPUT = 'file:/dev/fd/3';

/** What it leaves after this is thrown away anyhow. */
const KILL_AFTER_MS = 1_000;
const LONGEST_WORDS = 1_500;

const NOT_EXECUTABLE = 126;
const NOT_FOUND = 127;
/** What a shell adds to the number of a signal. */
const BY_SIGNAL = 128;

/**
 * Runs ffmpeg at a low priority, and ends it when its worker dies, even by SIGKILL: standard input is a pipe from the
 * worker, whose end somebody waits for. An encoder that nobody waits for would keep the processor for hours.
 */
const SCRIPT = `
exec 4<&0
nice -n 10 "$@" </dev/null 4<&- &
ffmpeg=$!
{ read -r _ <&4; kill -KILL "$ffmpeg"; } 3<&- >/dev/null 2>&1 &
watcher=$!
wait "$ffmpeg"
code=$?
kill -KILL "$watcher"
exit "$code"
`;

/**
 * Runs ffmpeg to its end, whatever that is.
 *
 * @throws Error if it is not there, as this host may get it yet; the signal's reason if that was aborted
 */
export async function runFfmpeg({ program, args, fd, signal, onOutput, onInfo }: FfmpegOptions): Promise<FfmpegEnd> {
  signal.throwIfAborted();
  const quiet = [
    '-hide_banner',
    '-nostdin',
    '-nostats',
    '-loglevel',
    `level+${onInfo === undefined ? 'warning' : 'info'}`,
  ];
  const child = spawn('/bin/sh', ['-c', SCRIPT, 'sh', program, ...quiet, ...args], {
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe', fd],
    // A program that reads the files of strangers is told none of the worker's passwords.
    env: { PATH: readVariable('PATH'), HOME: readVariable('HOME'), LD_LIBRARY_PATH: readVariable('LD_LIBRARY_PATH') },
  });
  const words: string[] = [];
  const reading = [
    readLines(child.stdout, onOutput ?? (() => undefined)),
    readLines(child.stderr, (line) => {
      if (/^(\[[^\]]*\] )?\[(info|verbose|debug)\]/.test(line)) onInfo?.(line);
      else words.push(line.replace(/ @ 0x[0-9a-f]+(?=\])/, ''));
      if (words.length > 20) words.shift();
    }),
  ];
  const exit = await waitForExit(child, signal);
  await Promise.all(reading);
  signal.throwIfAborted();
  if (exit === NOT_FOUND || exit === NOT_EXECUTABLE) throw new Error(sayNotStarted(program, exit));
  return { code: exit, ...nameSignal(exit), words: words.join('\n').slice(-LONGEST_WORDS) };
}

function sayNotStarted(program: string, exit: number): string {
  return exit === NOT_FOUND
    ? `there is no program ${program} on this host; install ffmpeg, or correct FFMPEG_PATH`
    : `the program ${program} may not be executed; chmod +x it, or correct FFMPEG_PATH`;
}

function nameSignal(exit: number): { signal?: string } {
  const found = Object.entries(constants.signals).find(([, number]) => number === exit - BY_SIGNAL);
  return found === undefined ? {} : { signal: found[0] };
}

async function waitForExit(child: ChildProcess, signal: AbortSignal): Promise<number> {
  const exited = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, by) => resolve(code ?? BY_SIGNAL + (by === null ? 0 : constants.signals[by])));
  });
  const { pid } = child;
  if (pid === undefined) return exited; // it could not be started, and says why
  const forget = endGroupOnExit(pid);
  let ended: Promise<void> | undefined;
  const abort = () => {
    ended = endGroup(pid, KILL_AFTER_MS);
  };
  signal.addEventListener('abort', abort, { once: true });
  const code = await exited;
  signal.removeEventListener('abort', abort);
  if (ended !== undefined) await ended;
  else signalGroup(pid, 'SIGKILL');
  forget();
  return code;
}

/** Until the end of the stream. */
function readLines(stream: Readable | null, tell: (line: string) => void): Promise<void> {
  const { createInterface } = require('node:readline') as typeof import('node:readline');
  return new Promise((resolve) => {
    if (stream === null) return resolve();
    createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }).on('line', tell).once('close', resolve);
  });
}
