import fc from 'fast-check';
import { LARGEST_BUFFER, Pace } from '../src/worker/pace';

const CONCURRENCY = 10;

/** Lets jobs end at a steady speed, looked at every 100 ms; answers with each size on the way. */
function run(perSecond: number, looks: number): number[] {
  const pace = new Pace(0);
  const sizes: number[] = [];
  for (let look = 1; look <= looks; look++) {
    for (let job = 0; job < perSecond / 10; job++) pace.jobEnded(1);
    sizes.push(pace.bufferSize(CONCURRENCY, look * 100));
  }
  return sizes;
}

test('at first, and while nothing ends, no job is held in advance', () => {
  const pace = new Pace(0);
  expect(pace.bufferSize(CONCURRENCY, 0)).toBe(0);
  expect(pace.bufferSize(CONCURRENCY, 60_000)).toBe(0);
});

test('the buffer comes to hold what ends in half a second', () => {
  expect(run(100, 20).at(-1)).toBeCloseTo(50, -1);
  expect(run(1_000, 20).at(-1)).toBeCloseTo(500, -1);
});

test('it grows step by step and never beyond its end', () => {
  const sizes = run(100_000, 20);
  expect(sizes.slice(0, 4)).toEqual([10, 50, 210, 850]);
  expect(sizes.at(-1)).toBe(LARGEST_BUFFER);
});

test('when jobs become slow, it shrinks to nothing', () => {
  const pace = new Pace(0);
  for (let look = 1; look <= 20; look++) {
    for (let job = 0; job < 100; job++) pace.jobEnded(1);
    pace.bufferSize(CONCURRENCY, look * 100);
  }
  const sizes = Array.from({ length: 12 }, (_, look) => pace.bufferSize(CONCURRENCY, 2_100 + look * 100));
  expect([...sizes]).toEqual([...sizes].sort((a, b) => b - a));
  expect(sizes.at(-1)).toBe(0);
});

test('whatever happens, it is a whole number from 0 to its end', () => {
  const step = fc.record({ afterMs: fc.nat(5_000), ended: fc.nat(3_000), ms: fc.nat(60_000) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), fc.integer({ min: 1, max: 10_000 }), (steps, concurrency) => {
      const pace = new Pace(0);
      let now = 0;
      for (const { afterMs, ended, ms } of steps) {
        now += afterMs;
        for (let job = 0; job < ended; job++) pace.jobEnded(ms);
        const size = pace.bufferSize(concurrency, now);
        expect(Number.isInteger(size) && size >= 0 && size <= LARGEST_BUFFER).toBe(true);
      }
    }),
    { numRuns: 50 },
  );
});

test('slow jobs that end together are not taken for fast ones', () => {
  const sizes = [1_000, 600, 200].map((ms) => {
    const pace = new Pace(0);
    const seen: number[] = [];
    for (let round = 1; round <= 5; round++) {
      for (const after of [0, 6]) {
        for (let job = 0; job < CONCURRENCY / 2; job++) pace.jobEnded(ms);
        seen.push(pace.bufferSize(CONCURRENCY, round * ms + after));
      }
    }
    return Math.max(...seen);
  });
  // Ten at once, of 200 ms each, are fifty a second: half of those.
  expect(sizes).toEqual([0, 0, expect.any(Number)]);
  expect(sizes[2]).toBeLessThanOrEqual(25);
});
