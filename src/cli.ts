#!/usr/bin/env node
import { type Command, CommanderError } from 'commander';
import type { Settings } from './config';
import { EXIT, exitCodeOf, messageOf, oneLine, RowlockError, sentenceOf, UsageError } from './errors';
import { harmless } from './harmless';
import { buildProgram, type Execute } from './program';
import { setTimeout } from './timers';

/** What is left open once a command has ended, such as a pool of somebody's job module, is waited for no longer. */
const LINGER_MS = 250;

let debugging = false;
/** Jobs may be running, here or in a run that was started here. */
let isWorking = false;

/** Reads the settings, runs the command and puts the driver's errors into words. */
const execute: Execute = async (command, overrides, run) => {
  const { loadSettings } = require('./config') as typeof import('./config');
  const settings = loadSettings(overrides, envFileOf(command));
  debugging = settings.logLevel === 'debug';
  isWorking = ['run', 'child', 'schedule'].includes(command.name());
  try {
    process.exitCode = await run(settings);
  } catch (error) {
    throw explainTo(settings, error);
  }
};

function envFileOf(command: Command): string | undefined {
  const { envFile } = command.optsWithGlobals<{ envFile?: string }>();
  return envFile;
}

function explainTo(settings: Settings, error: unknown): unknown {
  if (error instanceof RowlockError || settings.database === undefined) return error;
  const { explain } = require('./db/faults') as typeof import('./db/faults');
  const { serverName } = require('./config') as typeof import('./config');
  return explain(error, serverName(settings.database));
}

/** One line on stderr, and the exit code that scripts rely on. */
function report(thrown: unknown): void {
  const error = thrown instanceof CommanderError ? fromCommander(thrown) : thrown;
  if (error === undefined) return;
  process.exitCode = exitCodeOf(error);
  process.stderr.write(`rowlock: ${oneLine(sentenceOf(error))}\n`);
  if (debugging) process.stderr.write(`${harmless(stackOf(error))}\n`);
}

/** Help and version are no faults. The rest is a wrong command line, in commander's words. */
function fromCommander({ code, exitCode, message }: CommanderError): UsageError | undefined {
  if (exitCode === 0) {
    process.exitCode = EXIT.ok;
    return undefined;
  }
  if (code === 'commander.help') return new UsageError('no command given; see rowlock --help');
  return new UsageError(`${message.replace(/^error: /, '').replace(/\.$/, '')}; see rowlock --help`);
}

/** The stack with those of its causes. */
function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return messageOf(error);
  const cause = error.cause === undefined ? '' : `\ncaused by ${stackOf(error.cause)}`;
  return `${error.stack ?? messageOf(error)}${cause}`;
}

/** `rowlock list | head` closes the pipe when it has seen enough. Jobs that run end as they should, unheard. */
function endQuietly(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
  if (!isWorking) process.exit();
}

/** What somebody's job module throws on its own, outside of a run, which has an answer of its own to it. */
function reportStray(thrown: unknown): void {
  if (process.listenerCount('uncaughtException') > 1) return;
  report(thrown);
  process.exit();
}

async function main(): Promise<void> {
  process.on('uncaughtException', reportStray);
  process.stdout.on('error', endQuietly);
  process.stderr.on('error', endQuietly);
  try {
    await buildProgram(execute).parseAsync();
  } catch (error) {
    report(error);
  }
  setTimeout(() => process.exit(), LINGER_MS).unref();
}

void main();
