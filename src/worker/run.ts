import { hostname } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { type ConnectionSettings, type RunSettings, serverName } from '../config';
import { isTransient } from '../db/faults';
import { openPool, type Pool } from '../db/pool';
import { requireSchema } from '../db/schema';
import { EXIT, type ExitCode, LeaseLostError, messageOf } from '../errors';
import type { Emit } from '../events';
import { claimNamed, explainUnclaimed } from '../queue/claim';
import type { JobId } from '../queue/job';
import {
  closeRun,
  closeRunPatiently,
  countJobsBeside,
  findStarvation,
  giveUpSlot,
  newRunId,
  openRun,
  type RunOutcome,
  takeSlot,
} from '../queue/runs';
import { readLargestPacket } from '../queue/server';
import { clearTimeout, setTimeout } from '../timers';
import type { Attempt } from './attempt';
import { Claimer } from './claimer';
import type { Surroundings } from './context';
import { Drain } from './drain';
import { type Execution, execute } from './execute';
import { keepHeapSmall } from './heap';
import { Heartbeat, type HeartbeatMessage } from './heartbeat';
import { HeldJobs } from './held-jobs';
import type { JobType } from './job-type';
import type { Registry } from './registry';
import { Report } from './report';
import { describeSelection } from './selection';
import { Settler } from './settler';
import { watchSignals } from './signals';
import { watchStrays } from './strays';
import { SuspectHost } from './suspect-host';
import { keepUp } from './upkeep';

export interface RunOptions {
  database: ConnectionSettings;
  settings: RunSettings;
  registry: Registry;
  emit: Emit;
  /** The script and arguments that start a suspect's process. */
  childEntry: readonly [string, ...string[]];
  /** These jobs and no others, whatever their run_at or their queue's pause. */
  ids?: readonly JobId[];
  /** A dead letter makes the exit code 1. */
  failOnError?: boolean;
  /** Completed jobs and runs that ended longer ago than this are deleted, once a day by one run of all hosts. */
  pruneMs?: number | undefined;
}

const CLOSED_BY_ANOTHER = 'another run closed it';
/** After this many leases without an answer a run gives up what it does: another may long have it. */
const SILENT_LEASES = 5;
/** How long functions may take to end after their last abort, when the process ends anyway. */
const LAST_MOMENT_MS = 2_000;

/** One execution of the script: records itself, rescues, takes a slot, drains, and closes its row. */
export async function runOnce(options: RunOptions): Promise<ExitCode> {
  const { database, settings } = options;
  const pool = openPool(database, { connections: 4, sessionTimeoutMs: settings.lease });
  const run = new Run(options, pool);
  try {
    await requireSchema(pool, serverName(database));
    return await run.execute();
  } finally {
    await run.release();
    // A network that swallows packets does not answer a farewell either.
    // Without a callback of its own the driver throws what a connection that has gone says to it: exit code 69, in place of 75.
    const ending = pool.end().catch(() => pool.pool.end(() => undefined));
    await Promise.race([ending, pause(LAST_MOMENT_MS, undefined, { ref: false })]);
  }
}

class Run {
  private readonly runId = newRunId();
  private readonly host = hostname().slice(0, 255);
  private readonly selection: string;
  private readonly startedAt = performance.now();
  private readonly report: Report;
  private readonly heartbeat: Heartbeat;
  private readonly held = new HeldJobs();
  private readonly drain: Drain;
  private readonly settler: Settler;
  private readonly suspects: SuspectHost;
  private readonly surroundings: Surroundings;
  private jobPool: Pool | undefined;
  private stopSignal: string | undefined;
  private lost: string | undefined;
  private fault: unknown;
  private isClosing = false;
  private forsake: () => void = () => undefined;
  /** Resolves a while after the lease is lost: what still waits for the server may do so for long. */
  private readonly forsaken = new Promise<true>((resolve) => {
    this.forsake = () => resolve(true);
  });
  private readonly options: RunOptions;
  private readonly pool: Pool;

  constructor(options: RunOptions, pool: Pool) {
    const { database, settings, registry, emit, childEntry } = options;
    const { runId, host } = this;
    this.options = options;
    this.pool = pool;
    this.selection = describeSelection(settings);
    this.report = new Report(emit);
    this.heartbeat = new Heartbeat({ database, runId, leaseMs: settings.lease, graceMs: settings.grace }, (message) =>
      this.onHeartbeat(message),
    );
    this.surroundings = { emit, registry, pool: () => this.openJobPool(), isStopping: () => this.drain.isStopping };
    this.suspects = new SuspectHost({
      entry: childEntry,
      runId,
      host,
      graceMs: settings.grace,
      emit,
      isStopping: () => this.drain.isStopping,
    });
    this.settler = new Settler({
      pool,
      runId,
      onDropped: (id, why) => this.drain.resultNotStored(id, why),
      onSettled: (settled) => this.drain.settled(settled),
      onLost: (error) => this.loseLease(error.message),
      onFault: (error) => this.fail(error),
      onWaiting: (why) => this.report.waiting(why),
    });
    const selection = { queues: settings.queue, types: settings.type };
    this.drain = new Drain({
      pool,
      runId,
      settings,
      held: this.held,
      claimer: new Claimer(pool, selection, runId, this.held.has),
      settler: this.settler,
      registry,
      report: this.report,
      emit,
      execute: (attempt, type) => this.executeOne(attempt, type),
      isLeaseSure: () => this.heartbeat.isLeaseSure(),
      onClaim: () => {
        keepHeapSmall();
        this.heartbeat.start();
      },
      countBeside: () => countJobsBeside(pool, this.place),
      startedAt: this.startedAt,
    });
  }

  /** Where it runs and what it serves: it competes for a slot with runs of the same. */
  private get place() {
    const { runId, host, selection } = this;
    return { runId, host, selection };
  }

  async execute(): Promise<ExitCode> {
    const { options, pool, runId, host } = this;
    const { settings, emit, ids } = options;
    // Before its row is there: the first process of a container hears no signal that it does not watch for.
    const ignoreSignals = watchSignals((signal) => this.onSignal(signal));
    const ignoreStrays = watchStrays((error) => this.onUncaught(error), emit);
    let lateHeartbeat: NodeJS.Timeout | undefined;
    try {
      this.settler.packetBytes = await readLargestPacket(pool);
      this.heartbeat.leaseBegins();
      await openRun(pool, { ...this.place, pid: process.pid, leaseMs: settings.lease });
      emit('run.started', { run_id: runId, host, pid: process.pid });
      lateHeartbeat = setTimeout(() => this.heartbeat.start(), settings.lease / 4);
      const isDone = await Promise.race([this.work(ids), this.forsaken]);
      if (!isDone) return EXIT.ok;
      const exitCode = await this.finish();
      await this.prune();
      return exitCode;
    } finally {
      clearTimeout(lateHeartbeat);
      ignoreSignals();
      ignoreStrays();
    }
  }

  /** Frees what outlives the run's last statement. */
  async release(): Promise<void> {
    this.suspects.close();
    await this.heartbeat.stop();
    this.jobPool?.pool.end(() => undefined);
  }

  /** False: skipped. What goes wrong is told once the run is closed. */
  private async work(ids: readonly JobId[] | undefined): Promise<boolean> {
    try {
      if (ids === undefined) return await this.runDue();
      await this.runNamed(ids);
    } catch (error) {
      await this.endEarly(error);
    }
    return true;
  }

  private async runNamed(ids: readonly JobId[]): Promise<void> {
    const jobs = await claimNamed(this.pool, ids, { runId: this.runId, limit: ids.length, isHeld: () => false });
    const claimed = new Set(jobs.map(({ id }) => id));
    const others = await explainUnclaimed(
      this.pool,
      ids.filter((id) => !claimed.has(id)),
    );
    await this.drain.runOnly(jobs);
    const unknown = jobs.filter(({ type }) => this.report.unknownTypes.has(type));
    const putBack = unknown.map(({ id, type }) => ({ id, why: `no job function here has its type, ${type}` }));
    for (const { id, why } of [...others, ...putBack]) this.options.emit('job.not_claimed', { job_id: id, why });
  }

  /** False: skipped, as another run has the host. */
  private async runDue(): Promise<boolean> {
    const { pool, runId, options } = this;
    const { settings, emit } = options;
    await keepUp(pool, options.registry, emit);
    const slot = await this.takeSlot();
    if ('why' in slot) {
      // It is not one of too many: a closed run gets no slot.
      if (!(await closeRun(pool, runId, 'skipped'))) {
        this.loseLease(CLOSED_BY_ANOTHER);
        return true;
      }
      emit('run.skipped', { run_id: runId, why: slot.why });
      const starved = await findStarvation(pool, this.place, { queues: settings.queue, types: settings.type });
      if (starved !== undefined) emit('run.starved', starved);
      return false;
    }
    const overtime = setTimeout(
      () => this.drain.stopClaiming('its time is over (--max-time)'),
      settings.maxTime - (performance.now() - this.startedAt),
    );
    const draining = this.drain.run(slot.beside);
    await Promise.race([draining, this.drain.stopped]);
    clearTimeout(overtime);
    await Promise.all([draining, this.leaveSlot()]);
    return true;
  }

  /** Why there is none; or what the jobs of earlier runs leave of it. */
  private async takeSlot(): Promise<{ why: string } | { beside: number }> {
    const { pool, runId, options } = this;
    const { maxRuns, concurrency } = options.settings;
    if ((await takeSlot(pool, runId, maxRuns)) === undefined) return { why: 'another run has this host (--max-runs)' };
    const beside = await countJobsBeside(pool, this.place);
    return beside >= concurrency ? { why: 'jobs of earlier runs take all of --concurrency' } : { beside };
  }

  /** The next tick may claim while this run finishes what it holds; until it can be told so, it is told again. */
  private async leaveSlot(): Promise<void> {
    this.suspects.tellStopping();
    while (this.drain.running > 0 && this.lost === undefined) {
      try {
        return await giveUpSlot(this.pool, this.runId);
      } catch (error) {
        if (!isTransient(error)) throw error;
        this.report.waiting(error);
        await pause(this.options.settings.poll);
      }
    }
  }

  private async executeOne(attempt: Attempt, type: JobType): Promise<Execution> {
    if (attempt.job.crashes > 0) return this.suspects.execute(attempt, type);
    this.heartbeat.watch(attempt, type.timeoutMs);
    try {
      return await execute(attempt, type, this.surroundings, this.options.settings.grace);
    } finally {
      this.heartbeat.unwatch(attempt);
    }
  }

  /** Apart from the run's own connections: functions that hold theirs for long must not keep it from settling. */
  private openJobPool(): Pool {
    const { database, settings } = this.options;
    this.jobPool ??= openPool(database, {
      connections: Math.min(settings.concurrency, 20),
      sessionTimeoutMs: settings.lease,
    });
    return this.jobPool;
  }

  private onHeartbeat(message: HeartbeatMessage): void {
    const { lease } = this.options.settings;
    if (message.kind === 'closed') {
      // A beat that comes after the run has closed itself finds it closed, too.
      if (!this.isClosing) this.loseLease(CLOSED_BY_ANOTHER);
    } else if (message.kind === 'silent' && message.forMs > SILENT_LEASES * lease) {
      this.loseLease(`the database server has not answered for ${SILENT_LEASES} leases`);
    } else if (message.kind === 'renewed') {
      this.drain.checkHeld().catch((error: unknown) => {
        if (!isTransient(error)) this.fail(error);
      });
    }
  }

  private loseLease(why: string): void {
    if (this.lost !== undefined) return;
    this.lost = why;
    this.settler.stop();
    this.drain.stopClaiming(why);
    this.drain.abortAll('lost', why);
    this.drain.leave(LAST_MOMENT_MS);
    setTimeout(this.forsake, LAST_MOMENT_MS).unref();
  }

  /** Something that no retry mends: what runs is given back, and the run ends. */
  private fail(error: unknown): void {
    this.fault ??= error;
    this.drain.stopClaiming('the run failed');
    this.drain.abortAll('stopping', 'the run failed');
    this.drain.leave(LAST_MOMENT_MS);
  }

  /** Jobs may be running when a claim fails: none goes on in a process whose run is closed. */
  private async endEarly(error: unknown): Promise<void> {
    if (error instanceof LeaseLostError) this.loseLease(error.message);
    else this.fail(error);
    await this.drain.finishEarly();
  }

  /** Nobody knows what state the process is in: jobs that run may end, no further one begins. */
  private onUncaught(error: unknown): void {
    this.options.emit('worker.uncaught', { error: messageOf(error) });
    this.fault ??= error;
    this.drain.stopClaiming('an error outside of any job');
  }

  /** SIGTERM or SIGINT: running jobs have the grace, then they are aborted and given back. */
  private onSignal(signal: NodeJS.Signals): void {
    this.stopSignal = signal;
    this.options.emit('run.stopping', { run_id: this.runId, why: signal });
    this.drain.stopClaiming(`stopped by ${signal}`);
    this.suspects.tellStopping();
    setTimeout(() => {
      this.drain.abortAll('stopping', `stopped by ${signal}`);
      this.drain.leave(LAST_MOMENT_MS);
    }, this.options.settings.grace).unref();
  }

  /** Closes the run's row, tells the sum, and finds the exit code. */
  private async finish(): Promise<ExitCode> {
    const { options, runId, report } = this;
    await this.close();
    if (this.lost !== undefined) options.emit('run.lease_lost', { run_id: runId, why: this.lost });
    options.emit('run.finished', {
      ...report.counts,
      run_id: runId,
      outcome: this.outcome,
      claimed: this.drain.claimedJobs,
      ms: Math.round(performance.now() - this.startedAt),
      unknown_types: [...report.unknownTypes],
    });
    report.tellDeadLetters();
    if (this.lost !== undefined) return EXIT.leaseLost;
    if (this.fault !== undefined) throw this.fault;
    if (options.ids !== undefined) return report.counts.completed === options.ids.length ? EXIT.ok : EXIT.failed;
    return options.failOnError === true && report.deadLetters > 0 ? EXIT.failed : EXIT.ok;
  }

  /** Once its row is closed: the next tick has the slot, and no lease can be lost over it. */
  private async prune(): Promise<void> {
    const { pruneMs, ids, emit } = this.options;
    if (pruneMs === undefined || ids !== undefined || this.outcome !== 'finished') return;
    await this.heartbeat.stop();
    const { pruneInTurn }: typeof import('./prune-in-turn') = require('./prune-in-turn');
    await pruneInTurn(this.pool, pruneMs, { emit, isStopping: () => this.stopSignal !== undefined });
  }

  private get outcome(): RunOutcome {
    if (this.lost !== undefined) return 'lost';
    if (this.fault !== undefined) return 'error';
    return this.stopSignal === undefined ? 'finished' : 'stopped';
  }

  private async close(): Promise<void> {
    if (this.lost !== undefined) return;
    this.isClosing = true;
    try {
      // Forsaken: the server has not answered for five leases, and this run is closed by the next rescue.
      const closed = await Promise.race([closeRunPatiently(this.pool, this.runId, this.outcome), this.forsaken]);
      if (!closed) this.lost = CLOSED_BY_ANOTHER;
    } catch (error) {
      this.fault ??= error; // the next rescue closes it
    }
  }
}
