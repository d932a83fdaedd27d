import type { Pool } from '../src/db/pool';
import type { Settled } from '../src/queue/settle';
import { Settler } from '../src/worker/settler';
import { openQueueBench, outcomeOf, RETRY } from './support/queue';
import { openQueuePool } from './support/tables';
import { until } from './support/until';

// No new session is let in while somebody changes the password, or the server's certificate. That once made dead letters
// of retries, and dropped the results of jobs that had completed.

/** As the driver has them: of these it calls only the last one fatal. */
const REFUSALS = [
  { errno: 1045, code: 'ER_ACCESS_DENIED_ERROR', sqlState: '28000' },
  { errno: 3118, code: 'ER_ACCOUNT_HAS_BEEN_LOCKED', sqlState: 'HY000' },
  { code: 'HANDSHAKE_SSL_ERROR', fatal: true },
];

function openSettlerOn(pool: Pool) {
  const told = { settled: [] as Settled[], dropped: 0, faults: 0, waits: 0 };
  const settler = new Settler({
    pool,
    runId: 1,
    onSettled: (one) => void told.settled.push(one),
    onDropped: () => void told.dropped++,
    onLost: () => void told.faults++,
    onFault: () => void told.faults++,
    onWaiting: () => void told.waits++,
  });
  return { settler, told };
}

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
  return openSettlerOn({ ...tx, getConnection } as unknown as Pool);
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

test('a password that is changed while a run works loses no outcome: it waits until it may log in again', async () => {
  const bench = await openQueueBench();
  await bench.open(1);
  await bench.add();
  await bench.add();
  const [first, second] = await bench.claim(1);
  if (first === undefined || second === undefined) throw new Error('two jobs were added, and not claimed');
  const setPassword = (password: string) =>
    bench.db.pool.query(`ALTER USER ?@'%' IDENTIFIED BY ?`, [bench.db.users.names.worker, password]);
  const { username, password } = new URL(bench.db.urls.worker);
  expect(username).toBe(bench.db.users.names.worker);

  await setPassword('another one');
  const pool = openQueuePool(bench.db.urls.worker, 1);
  const { settler, told } = openSettlerOn(pool);
  settler.add(outcomeOf(first, { result: '"done"' }));
  settler.add(outcomeOf(second, RETRY));
  await until(() => Promise.resolve(told.waits > 1), 'the settler waits for a session');
  await setPassword(password);
  await settler.drained();
  await pool.end();

  expect(told).toMatchObject({ dropped: 0, faults: 0 });
  expect(await bench.job(Number(first.id))).toMatchObject({ status: 'completed', result: '"done"' });
  expect(await bench.job(Number(second.id))).toMatchObject({ status: 'pending', last_error: RETRY.error });
});
