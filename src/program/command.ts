import type { Command } from 'commander';
import type { Overrides, Settings } from '../config';

/** Runs a command with its settings: those of the environment under these overrides. */
export type Execute = (
  command: Command,
  overrides: Overrides,
  run: (settings: Settings) => Promise<number>,
) => Promise<void>;

/** The values stay words: settings check them all, with those of the environment, at once. */
export const addRunOptions = (command: Command): Command =>
  command
    .option('--queue <queues>', 'only these, in this order; repeatable, or with commas', collect)
    .option('--type <types>', 'only these job types; repeatable, or with commas', collect)
    .option('--concurrency <number>', 'jobs at once (default: 10)')
    .option('--max-runs <number>', 'runs at once on this host (default: 1)')
    .option('--max-time <duration>', 'claim nothing more after this (default: 10m)')
    .option('--max-jobs <number>', 'claim at most this many')
    .option('--keep-alive <duration>', 'when nothing is due, look again until this long after the start (default: 0)')
    .option('--poll <duration>', 'how often to look then (default: 200ms)')
    .option('--grace <duration>', 'how long jobs may go on after SIGTERM (default: 25s)')
    .option('--lease <duration>', 'after this without a sign of life another run takes over (default: 60s)')
    .option('--jobs <file>', 'a module or JSON file of further job types');

export const collect = (words: string, before: string[] = []): string[] => [...before, ...words.split(',')];

/** Options as they are typed, for a command that starts another one. */
export const toArguments = (options: Record<string, string | string[] | boolean | undefined>): string[] =>
  Object.entries(options).flatMap(([option, value]) => {
    const name = `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    if (value === undefined || value === false) return [];
    return value === true ? [name] : [`${name}=${String(value)}`];
  });
