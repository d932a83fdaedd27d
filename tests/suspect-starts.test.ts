import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClaimedJob } from '../src/queue/job';
import { Attempt } from '../src/worker/attempt';
import type { JobType } from '../src/worker/job-type';
import { SuspectHost } from '../src/worker/suspect-host';
import { CLI } from './support/rowlock';
import { until } from './support/until';

const type: JobType = {
  kind: 'function',
  type: 'echo',
  definition: { type: 'echo', run: () => undefined },
  timeoutMs: 60_000,
  maxAttempts: 8,
  queue: 'default',
  priority: 0,
  unique: 'kept',
};

const folder = mkdtempSync(join(tmpdir(), 'rowlock-suspects-'));
const envFile = join(folder, 'env');
const broken = join(folder, 'ends-at-once.js');

/** As a run starts it. These jobs connect to no database. */
const entry: readonly [string, ...string[]] = [
  CLI,
  'child',
  '--env-file',
  envFile,
  '--jobs',
  join(__dirname, 'fixtures', 'run-jobs.js'),
];

let host: SuspectHost;

beforeAll(() => {
  writeFileSync(envFile, 'DATABASE_URL=mysql://nobody@127.0.0.1:1/none\n');
  writeFileSync(broken, 'process.exit(1);\n');
});

afterAll(() => rmSync(folder, { recursive: true }));

beforeEach(() => {
  const options = { entry, runId: 1, host: 'here', graceMs: 1_000, emit: () => undefined, isStopping: () => false };
  host = new SuspectHost(options);
});

afterEach(async () => {
  host.close();
  await until(() => countProcesses() === 0, 'the processes have ended');
});

function suspect(id: number, { crashes = 1, maxAttempts = null as number | null } = {}): Attempt {
  const now = new Date();
  const job: ClaimedJob = {
    ...{ id, type: 'echo', payload: null, queue: 'default', priority: 0, runAt: now, createdAt: now, maxAttempts },
    ...{ attempts: 1, crashes, checkpoint: null, saves: 0, lastPauseMs: null },
  };
  return new Attempt(job, 1, type.maxAttempts);
}

/** Of the suspects: those that have started and not ended. */
function countProcesses(): number {
  const lines = execFileSync('ps', ['-axo', 'ppid=,stat=,args='], { encoding: 'utf8' }).split('\n');
  const own = new RegExp(`^ *${process.pid} +[^Z]`);
  return lines.filter((line) => own.test(line) && !line.includes('ppid=')).length;
}

const MORE_THAN_CORES = availableParallelism() + 6;

test('as many processes start at once as there are cores; the other suspects take one that has started', async () => {
  const all = Array.from({ length: MORE_THAN_CORES }, (_, index) => host.execute(suspect(index + 1), type));
  expect(countProcesses()).toBe(availableParallelism());
  for (const { outcome } of await Promise.all(all)) expect(outcome).toMatchObject({ kind: 'completed' });
});

test('a suspect that needs a process of its own gets one, also if others are idle', async () => {
  await host.execute(suspect(1), type);
  const idle = countProcesses();
  const { outcome } = await host.execute(suspect(2, { crashes: 2 }), type);
  expect(outcome).toMatchObject({ kind: 'completed' });
  expect(countProcesses()).toBe(idle + 1);
});

test('a suspect that is aborted while it waits for a process has not run, and is given back', async () => {
  const all = Array.from({ length: availableParallelism() }, (_, index) => host.execute(suspect(index + 1), type));
  const waiting = suspect(99, { maxAttempts: 1 });
  const execution = host.execute(waiting, type);
  waiting.abort('stopping', 'the run ends');
  expect(await execution).toEqual({
    outcome: { kind: 'released', why: 'the run ends', delayMs: 0 },
    abandoned: false,
  });
  await Promise.all(all);
});

test('a suspect that waits for a process as the run ends has not run, and no process is started for it', async () => {
  const all = Array.from({ length: availableParallelism() }, (_, index) => host.execute(suspect(index + 1), type));
  const waiting = host.execute(suspect(99), type);
  host.close();
  expect(await waiting).toMatchObject({ outcome: { kind: 'released' } });
  await Promise.allSettled(all);
});

test('a process that cannot start leaves its place to the next', async () => {
  const host = new SuspectHost({
    ...{ entry: [broken], runId: 1, host: 'here', graceMs: 1_000 },
    ...{ emit: () => undefined, isStopping: () => false },
  });
  const all = Array.from({ length: MORE_THAN_CORES }, (_, index) => host.execute(suspect(index + 1), type));
  const ends = await Promise.allSettled(all);
  expect(ends.map(({ status }) => status)).toEqual(all.map(() => 'rejected'));
});
