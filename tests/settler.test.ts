import type { Pool } from '../src/db/pool';
import { Settler } from '../src/worker/settler';
import { startProxy } from './support/proxy';
import { outcomeOf } from './support/queue';
import { until } from './support/until';
import { openWorkshop, type Workshop } from './support/workshop';

let shop: Workshop;

beforeAll(async () => {
  shop = await openWorkshop('fault-jobs.js');
});

test('a job that a producer’s open transaction holds up is settled beside the others, which wait for it but once', async () => {
  const keyed = await shop.add('key.active', undefined, { unique_key: 'k' });
  const later = { run_at: '2037-01-01 00:00:00' };
  const others = [
    await shop.add('result', 1, later),
    await shop.add('result', 1, later),
    await shop.add('result', 1, later),
  ];
  const producer = await shop.db.pool.getConnection();
  await producer.query('START TRANSACTION');
  const duplicate = producer.query(`INSERT INTO background_jobs (job_type, unique_key) VALUES ('key.active', 'k')`);
  await expect(duplicate).rejects.toMatchObject({ code: 'ER_DUP_ENTRY' });
  const proxy = await startProxy(shop.db.urls.worker, (sql) => sql);
  const worker = shop.start(['--keep-alive', '1m', '--poll', '20ms'], { DATABASE_URL: proxy.url });
  const settling = (id: number) => proxy.seen.filter((sql) => sql.includes(`{\\"id\\":${id},`));
  await until(() => settling(keyed).length > 1, 'its settling has been tried, and once more');

  for (const id of others) {
    // On MySQL none can be inserted meanwhile: the refused row has left a lock behind the last one.
    await shop.db.pool.query('UPDATE background_jobs SET run_at = NOW(3) WHERE id = ?', [id]);
    await until(async () => (await shop.job(id))['status'] === 'completed', 'one that came later is settled');
  }
  for (const id of others) {
    expect(settling(id).filter((sql) => sql.includes(`{\\"id\\":${keyed},`))).toEqual([]);
  }
  expect(await shop.job(keyed)).toMatchObject({ status: 'running' });
  await producer.query('ROLLBACK');
  producer.release();
  await until(async () => (await shop.job(keyed))['status'] === 'completed', 'the job is settled');
  worker.child.kill('SIGTERM');
  expect(await worker.ended).toMatchObject({ code: 0, signal: null });
  expect(await shop.job(keyed)).toMatchObject({ unique_key: null, attempts: 1 });
});

describe('an outcome that comes just as the last flush ends', () => {
  const HOPS = Array.from({ length: 40 }, (_, hops) => hops);

  /** A server that does all at once: only the order of microtasks is looked at. */
  const tx = {
    query: ({ values }: { values?: { ids?: unknown[] } }) =>
      Promise.resolve([{ affectedRows: values?.ids?.length ?? 1 }]),
    release: () => undefined,
    destroy: () => undefined,
  };
  const pool = { ...tx, getConnection: () => Promise.resolve(tx) } as unknown as Pool;

  test.each(HOPS)('is written (%i microtasks after the one before)', async (hops) => {
    const written: unknown[] = [];
    let added: () => void = () => undefined;
    const isAdded = new Promise<void>((resolve) => {
      added = resolve;
    });
    const unexpected = (error: unknown): never => {
      throw error;
    };
    const settler = new Settler({
      pool,
      runId: 1,
      onSettled: ({ settlement: { id } }) => {
        written.push(id);
        if (id === 1) void addLater();
      },
      onLost: unexpected,
      onFault: unexpected,
      onWaiting: unexpected,
      onDropped: (id) => unexpected(id),
    });
    const addLater = async () => {
      for (let hop = 0; hop < hops; hop++) await undefined;
      settler.add(outcomeOf({ id: 2, attempts: 1 }));
      added();
    };
    settler.add(outcomeOf({ id: 1, attempts: 1 }));
    await isAdded;
    await settler.drained();
    expect(written).toEqual([1, 2]);
  });

  test('that is blocked as the lease is lost is waited for no longer', async () => {
    const refuse = ({ values }: { values?: { ids?: unknown[] } }) => {
      if (values?.ids === undefined) return Promise.resolve([{ affectedRows: 1 }]);
      settler.stop();
      return Promise.reject(Object.assign(new Error('Lock wait timeout exceeded'), { errno: 1205 }));
    };
    const busy = { ...tx, query: refuse };
    const never = (): never => {
      throw new Error('nothing is told of it');
    };
    const settler = new Settler({
      pool: { ...busy, getConnection: () => Promise.resolve(busy) } as unknown as Pool,
      runId: 1,
      onSettled: never,
      onLost: never,
      onFault: never,
      onWaiting: never,
      onDropped: never,
    });
    settler.add(outcomeOf({ id: 1, attempts: 1 }));
    await settler.drained();
    expect(settler.backlog).toBe(0);
  });
});
