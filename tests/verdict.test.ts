import type { Health, LiveRun, QueueState } from '../src/queue/health';
import { judge } from '../src/verdict';

const MINUTE = 60_000;
const now = new Date('2026-11-23T10:00:00Z');

const aQueue = (state: Partial<QueueState> = {}): QueueState => ({
  queue: 'default',
  pausedAt: null,
  due: 0,
  later: 0,
  running: 0,
  completed: 0,
  failed: 0,
  oldestDueMs: null,
  newestStartMs: null,
  ...state,
});

const aRun = (alive: number): LiveRun => ({
  id: 1,
  host: 'here',
  pid: 1,
  slot: 0,
  selection: '',
  startedAt: now,
  leaseExpiresAt: now,
  alive,
  claimed: 0,
  completed: 0,
  retried: 0,
  failed: 0,
  released: 0,
});

const aHealth = (health: Partial<Health> = {}): Health => ({
  now,
  lastRun: { id: 1, startedAt: now, agoMs: 12_000 },
  liveRuns: [],
  queues: [],
  today: { completed: 0, failed: 0 },
  heldByNoRun: 0,
  putBack: [],
  ...health,
});

test('all is well', () => {
  const queues = [aQueue({ due: 2, oldestDueMs: 3_000 }), aQueue({ queue: 'mail', due: 1, oldestDueMs: 8_000 })];
  expect(judge(aHealth({ queues }))).toEqual({
    ok: true,
    reasons: [],
    line: 'OK: last run 12 s ago, 3 due, oldest 8 s, 0 failed today',
  });
});

test('nothing is due', () => {
  expect(judge(aHealth({ today: { completed: 9, failed: 2 } })).line).toBe(
    'OK: last run 12 s ago, 0 due, 2 failed today',
  );
});

test('no run at all', () => {
  const verdict = judge(aHealth({ lastRun: undefined }));
  expect(verdict.ok).toBe(false);
  expect(verdict.line).toBe('NOT OK: no run yet, add rowlock run to the crontab; 0 due, 0 failed today');
});

test('cron has stopped, unless a long run lives', () => {
  const lastRun = { id: 1, startedAt: now, agoMs: 14 * MINUTE };
  expect(judge(aHealth({ lastRun })).line).toBe(
    'NOT OK: no run for 14 min, is cron still running?; last run 14 min ago, 0 due, 0 failed today',
  );
  expect(judge(aHealth({ lastRun, liveRuns: [aRun(0)] })).ok).toBe(false);
  expect(judge(aHealth({ lastRun, liveRuns: [aRun(1)] })).ok).toBe(true);
});

test('a queue that nobody serves, unless its jobs are being started or it is paused', () => {
  const waiting = { queue: 'mail', due: 4, oldestDueMs: 25 * MINUTE };
  expect(judge(aHealth({ queues: [aQueue(waiting)] })).line).toBe(
    'NOT OK: queue mail waits for 25 min and none of its jobs is being started; last run 12 s ago, 4 due, oldest 25 min, 0 failed today',
  );
  expect(judge(aHealth({ queues: [aQueue({ ...waiting, newestStartMs: 5_000 })] })).ok).toBe(true);
  expect(judge(aHealth({ queues: [aQueue({ ...waiting, newestStartMs: 11 * MINUTE })] })).ok).toBe(false);
  expect(judge(aHealth({ queues: [aQueue({ ...waiting, pausedAt: now })] })).line).toBe(
    'OK: last run 12 s ago, 0 due, 0 failed today',
  );
});
