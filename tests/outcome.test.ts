import fc from 'fast-check';
import type { ClaimedJob } from '../src/queue/job';
import { Attempt } from '../src/worker/attempt';
import type { FunctionJob } from '../src/worker/define';
import { backoffMs, CANCELLED, unknownTypeDelayMs } from '../src/worker/outcome';
import { createRegistry } from '../src/worker/registry';
import { settlementOf } from '../src/worker/settlement';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const JOB: ClaimedJob = {
  id: 7,
  type: 'a',
  payload: null,
  queue: 'default',
  priority: 0,
  runAt: new Date(0),
  createdAt: new Date(0),
  maxAttempts: null,
  attempts: 2,
  crashes: 0,
  checkpoint: null,
  saves: 0,
  lastPauseMs: null,
};

const typeOf = (options: Partial<FunctionJob> = {}) =>
  createRegistry([{ type: 'a', run: () => undefined, ...options }]).get('a');

const attemptOf = (job: Partial<ClaimedJob> = {}, limit = 8) => new Attempt({ ...JOB, ...job }, 99, limit);

describe('backoffMs', () => {
  test('is 30 s tripled each time, at most six hours, give or take a fifth', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5_000 }), (attempt) => {
        const middle = Math.min(6 * HOUR, 30_000 * 3 ** (attempt - 1));
        const delay = backoffMs(attempt);
        expect(delay).toBeGreaterThanOrEqual(middle * 0.8);
        expect(delay).toBeLessThanOrEqual(middle * 1.2);
      }),
    );
  });

  test('spreads jobs that failed together', () => {
    expect(new Set(Array.from({ length: 50 }, () => backoffMs(3))).size).toBeGreaterThan(10);
  });

  test('is the own list of a type as it stands; its last entry repeats', () => {
    expect([1, 2, 3, 9].map((attempt) => backoffMs(attempt, [0, 500]))).toEqual([0, 500, 500, 500]);
  });
});

test('an unknown type waits a minute, doubling to an hour', () => {
  expect([null, -5_000, 0, MINUTE, 40 * MINUTE, 5 * HOUR].map(unknownTypeDelayMs)).toEqual([
    MINUTE,
    MINUTE,
    MINUTE,
    2 * MINUTE,
    HOUR,
    HOUR,
  ]);
});

describe('an attempt', () => {
  test.each([
    [null, 8],
    [3, 3],
    [0, 1],
  ])('whose row says max_attempts %s has %s', (maxAttempts, expected) => {
    expect(attemptOf({ maxAttempts }).maxAttempts).toBe(expected);
  });

  test('keeps the first reason of its abort, and tells of it once', () => {
    const attempt = attemptOf();
    const onAbort = jest.fn();
    attempt.onAbort = onAbort;
    attempt.abort('timeout', 'too long');
    attempt.abort('cancelled', 'cancelled');
    expect(attempt.aborted).toMatchObject({ kind: 'timeout', message: 'too long', name: 'AbortError' });
    expect(onAbort).toHaveBeenCalledTimes(1);
  });

  test.each(['before', 'after'])('has signals that abort, also when first asked for %s the abort', (when) => {
    const attempt = attemptOf();
    const early = when === 'before' ? [attempt.signal, attempt.abandoned] : [];
    expect(early.map(({ aborted }) => aborted)).toEqual(early.map(() => false));
    attempt.abort('stopping', 'the run ends');
    attempt.abandon();
    expect(attempt.signal).toMatchObject({ aborted: true, reason: attempt.aborted });
    expect(attempt.abandoned.aborted).toBe(true);
    expect(early.map(({ aborted }) => aborted)).toEqual(early.map(() => true));
  });
});

describe('what an outcome means for the row', () => {
  const settle = (
    outcome: Parameters<typeof settlementOf>[2],
    job: Partial<ClaimedJob> = {},
    options = {},
    limit = 8,
  ) => settlementOf(attemptOf(job, limit), typeOf(options), outcome);

  const FENCE = { id: 7, attempts: 2 };

  test('completed, failed, cancelled, retried, released', () => {
    expect(settle({ kind: 'completed', result: '1' })).toMatchObject({
      ...FENCE,
      status: 'completed',
      count: 'completed',
      charged: true,
      result: '1',
      error: null,
    });
    expect(settle({ kind: 'failed', error: 'x' })).toMatchObject({
      ...FENCE,
      status: 'failed',
      count: 'failed',
      charged: true,
      error: 'x',
      cancelled: false,
    });
    expect(settle(CANCELLED)).toMatchObject({ status: 'failed', count: 'failed', error: 'cancelled', cancelled: true });
    expect(settle({ kind: 'retry', error: 'x', delayMs: 5 })).toMatchObject({
      status: 'pending',
      count: 'retried',
      charged: true,
      delayMs: 5,
      error: 'x',
    });
    expect(settle({ kind: 'released', why: 'y', delayMs: 0 })).toMatchObject({
      status: 'pending',
      count: 'released',
      charged: false,
      delayMs: 0,
      error: null,
    });
  });

  test('a crash waits its backoff, and at the third the job is failed', () => {
    const crashed = { kind: 'crashed', how: 'by SIGKILL' } as const;
    expect(settle(crashed, { crashes: 1 }, { backoff: ['1m', '2m'] })).toMatchObject({
      status: 'pending',
      charged: false,
      crashed: true,
      delayMs: 2 * MINUTE,
      error: 'crash 2 of 3: by SIGKILL',
    });
    expect(settle(crashed, { crashes: 2 })).toMatchObject({
      status: 'failed',
      count: 'failed',
      error: 'crash 3 of 3: by SIGKILL',
    });
    expect(settle(crashed, {}, {}, 1)).toMatchObject({ status: 'failed' });
  });

  test('the key of an active type is freed when the job ends', () => {
    expect(settle({ kind: 'completed', result: null }, {}, { unique: 'active' }).freeKey).toBe(true);
    expect(settle({ kind: 'completed', result: null }).freeKey).toBe(false);
    expect(settlementOf(attemptOf(), undefined, { kind: 'released', why: '', delayMs: 0 }).freeKey).toBe(false);
  });
});
