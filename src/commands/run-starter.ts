import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { environmentFor, type LogLevel } from '../config';
import { messageOf } from '../errors';
import type { Emit } from '../events';
import { CODE_FOLDER } from '../folders';

const CLI = join(CODE_FOLDER, 'cli.js');

export interface RunStarterOptions {
  runArguments: readonly string[];
  /** After this a run claims nothing more, and only finishes what it holds. */
  maxTimeMs: number;
  /** The log level of runs where the environment has none. */
  level: LogLevel | undefined;
  emit: Emit;
}

/** A process of its own for each run, as cron has it: what a function leaves behind ends with its run. */
export class RunStarter {
  /** When each run that has not ended was started, as performance.now() tells it. */
  private readonly live = new Map<ChildProcess, number>();
  private stopping = false;
  private wake: () => void = () => undefined;
  private readonly runArguments: readonly string[];
  private readonly maxTimeMs: number;
  private readonly level: LogLevel | undefined;
  private readonly emit: Emit;

  constructor({ runArguments, maxTimeMs, level, emit }: RunStarterOptions) {
    this.runArguments = runArguments;
    this.maxTimeMs = maxTimeMs;
    this.level = level;
    this.emit = emit;
  }

  /**
   * Starts a run, unless one is at work: never two at once. One that is past its --max-time only finishes
   * its jobs; the next run starts beside it, as a job of four hours must not silence this host.
   */
  tick(): void {
    const now = performance.now();
    const isAtWork = [...this.live.values()].some((startedAt) => now - startedAt < this.maxTimeMs);
    if (this.stopping || isAtWork) return;
    // In a group of its own: a ctrl-C is for this process, which hands it on once. A second one would end the run.
    const child = spawn(process.execPath, [CLI, 'run', ...this.runArguments], {
      detached: true,
      stdio: ['ignore', 'inherit', 'inherit'],
      env: environmentFor(this.level),
    });
    this.live.set(child, now);
    child.on('error', (error) => this.ended(child, messageOf(error)));
    child.on('exit', (code, signal) => this.ended(child, signal === null ? `exit code ${code}` : signal, code === 0));
  }

  /** Resolves once a signal has come and every run has ended. */
  async untilStopped(stopTicking: () => void): Promise<void> {
    const onSignal = (signal: NodeJS.Signals) => {
      this.stopping = true;
      stopTicking();
      for (const child of this.live.keys()) child.kill(signal);
      this.wake();
    };
    for (const signal of SIGNALS) process.on(signal, onSignal);
    while (!this.stopping || this.live.size > 0) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    for (const signal of SIGNALS) process.off(signal, onSignal);
  }

  private ended(child: ChildProcess, how: string, isWell = false): void {
    if (!this.live.delete(child)) return;
    // A run that had hardly begun knows no other way to stop.
    if (!isWell && !this.stopping) this.emit('schedule.run_ended', { pid: child.pid ?? 0, how });
    this.wake();
  }
}

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;
