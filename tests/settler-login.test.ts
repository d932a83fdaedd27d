import type { Pool } from '../src/db/pool';
import type { Settled } from '../src/queue/settle';
import { Settler } from '../src/worker/settler';
import { outcomeOf } from './support/queue';

// No new session is let in while somebody changes the password, or the server's certificate. That once made dead letters
// of retries, and dropped the results of jobs that had completed.

const REFUSALS = [
  { errno: 1045, code: 'ER_ACCESS_DENIED_ERROR', sqlState: '28000', fatal: true },
  { errno: 3118, code: 'ER_ACCOUNT_HAS_BEEN_LOCKED', sqlState: 'HY000', fatal: true },
  { code: 'HANDSHAKE_SSL_ERROR', fatal: true },
];

/** A server that does all at once, on sessions that are let in after so many refusals. */
function openSettler(refusal: object, refusals: number) {
  const tx = {
    query: ({ values }: { values?: { ids?: unknown[] } }) =>
      Promise.resolve([{ affectedRows: values?.ids?.length ?? 1 }]),
    release: () => undefined,
    destroy: () => undefined,
  };
  let left = refusals;
  const getConnection = () =>
    left-- > 0 ? Promise.reject(Object.assign(new Error('refused'), refusal)) : Promise.resolve(tx);
  const told = { settled: [] as Settled[], dropped: 0, faults: 0, waits: 0 };
  const settler = new Settler({
    pool: { ...tx, getConnection } as unknown as Pool,
    runId: 1,
    onSettled: (one) => void told.settled.push(one),
    onDropped: () => void told.dropped++,
    onLost: () => void told.faults++,
    onFault: () => void told.faults++,
    onWaiting: () => void told.waits++,
  });
  return { settler, told };
}

test.each(REFUSALS)('a login that is refused ($code) changes no outcome', async (refusal) => {
  const { settler, told } = openSettler(refusal, 2);
  settler.add(outcomeOf({ id: 1, attempts: 1 }, { result: '"done"' }));
  settler.add(
    outcomeOf({ id: 2, attempts: 1 }, { status: 'pending', count: 'retried', delayMs: 1_000, error: 'no luck' }),
  );
  await settler.drained();
  expect(told).toMatchObject({ dropped: 0, faults: 0, waits: 2 });
  expect(told.settled.map((one) => one.settlement)).toMatchObject([
    { id: 1, status: 'completed', result: '"done"' },
    { id: 2, status: 'pending', error: 'no luck' },
  ]);
});

test('one that stays refused ends the run, and makes no dead letter', async () => {
  let now = 0;
  const clock = jest.spyOn(performance, 'now').mockImplementation(() => (now += 40_000));
  const { settler, told } = openSettler(REFUSALS[0] ?? {}, 1_000);
  settler.add(outcomeOf({ id: 2, attempts: 1 }, { status: 'pending', count: 'retried', error: 'no luck' }));
  await settler.drained();
  clock.mockRestore();
  expect(told).toMatchObject({ settled: [], dropped: 0, faults: 1 });
});
