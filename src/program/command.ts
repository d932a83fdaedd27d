import type { Command } from 'commander';
import type { Overrides, Settings } from '../config';

/** Runs a command with its settings: those of the environment under these overrides. */
export type Execute = (
  command: Command,
  overrides: Overrides,
  run: (settings: Settings) => Promise<number>,
) => Promise<void>;

/** Options of each run, whoever starts it. The values stay words: settings check them all, with those of the environment, at once. */
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
    .option('--jobs <file>', 'a module or JSON file of further job types')
    .option('--fail-on-error', 'exit 1 if a job failed for good')
    .option('--ping-url <url>', 'told of start and end, as healthchecks.io is; not with --id')
    .option('--metrics-file <path>', 'gets the numbers for Prometheus, named *.prom; not with --id');

/** What {@link addRunOptions} come as. */
export type RunOptions = Overrides & { failOnError?: boolean };

export const collect = (words: string, before: string[] = []): string[] => [...before, ...words.split(',')];
