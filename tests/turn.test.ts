import { Turn } from '../src/worker/turn';

/** Keeps the event loop busy. */
function spin(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

test('a turn is spent after a while, and the next one is told of and begins anew', async () => {
  let turns = 0;
  const turn = new Turn(() => {
    turns++;
  });
  expect(turn.isSpent()).toBe(false);
  spin(5);
  expect([turn.isSpent(), turn.isSpent()]).toEqual([true, true]);
  expect(turns).toBe(0);
  await new Promise((resolve) => setImmediate(resolve));
  expect(turns).toBe(1);
  expect(turn.isSpent()).toBe(false);
});

test('a turn that nobody asks about costs nothing', async () => {
  const onNext = jest.fn();
  new Turn(onNext);
  await new Promise((resolve) => setImmediate(resolve));
  expect(onNext).not.toHaveBeenCalled();
});
