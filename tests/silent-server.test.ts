import { transaction } from '../src/db/transaction';
import { SILENT, startProxy } from './support/proxy';
import { openQueuePool } from './support/tables';
import { until } from './support/until';
import { openWorkshop, type Workshop } from './support/workshop';

// A network that swallows packets: a firewall that has forgotten the connection, or a balancer that hangs.
let shop: Workshop;

beforeAll(async () => {
  shop = await openWorkshop('fault-jobs.js');
});

beforeEach(() => shop.clear());

/** The first statements of this kind get no answer, each on a connection of its own. */
async function silenceFirst(count: number, marker: string) {
  let silenced = 0;
  const proxy = await startProxy(shop.db.urls.worker, (sql) => {
    if (!sql.includes(marker) || silenced === count) return sql;
    silenced++;
    return SILENT;
  });
  return { proxy, silenced: () => silenced };
}

test('a statement that got no answer gives its connection up: the pool is not used up by silence', async () => {
  const { proxy } = await silenceFirst(3, 'SELECT 1');
  const pool = openQueuePool(proxy.url, 1);
  for (let silence = 0; silence < 3; silence++) {
    await expect(pool.query({ sql: 'SELECT 1', timeout: 100 })).rejects.toMatchObject({
      code: 'PROTOCOL_SEQUENCE_TIMEOUT',
    });
  }
  await expect(pool.query({ sql: 'SELECT 1', timeout: 10_000 })).resolves.toBeDefined();
  await pool.end();
});

test('where one connection got no answer, the idle ones are given up with it', async () => {
  const old = new Set<unknown>();
  let isForgotten = false;
  const proxy = await startProxy(shop.db.urls.worker, (sql, before) => {
    if (isForgotten && old.has(before)) return SILENT;
    if (!isForgotten) old.add(before);
    return sql;
  });
  const pool = openQueuePool(proxy.url, 3);
  const all = await Promise.all([pool.getConnection(), pool.getConnection(), pool.getConnection()]);
  for (const connection of all) {
    await connection.query('SELECT 1');
    connection.release();
  }
  isForgotten = true;
  await expect(pool.query({ sql: 'SELECT 1', timeout: 100 })).rejects.toBeDefined();
  await expect(pool.query({ sql: 'SELECT 1', timeout: 3_000 })).resolves.toBeDefined();
  await expect(transaction(pool, async () => 'done')).resolves.toBe('done');
  await pool.end();
});

test('a new connection whose settings get no answer is given up, and whoever waits for it is told', async () => {
  const { proxy, silenced } = await silenceFirst(1, 'SET time_zone');
  const pool = openQueuePool(proxy.url, 1);
  await expect(transaction(pool, async () => 'done')).resolves.toBe('done');
  expect(silenced()).toBe(1);
  await pool.end();
}, 30_000);

test('a run whose closing gets no answer ends all the same, after five leases', async () => {
  await shop.add('work', 0);
  const proxy = await startProxy(shop.db.urls.worker, (sql) => {
    if (sql.includes('SET finished_at')) proxy.swallow();
    return sql;
  });
  const ended = await shop.run(['--lease', '1s'], { DATABASE_URL: proxy.url });
  expect(ended).toMatchObject({
    code: 75,
    stdout: '',
    stderr: expect.stringContaining('has not answered for 5 leases'),
  });
}, 30_000);

test('a run whose heartbeat is silenced as it connects renews its lease on another connection', async () => {
  const id = await shop.add('gated', 'door');
  let silenced = 0;
  const proxy = await startProxy(shop.db.urls.worker, (sql, before) => {
    // The heartbeat's connection is the only one that is opened once a job runs.
    if (silenced === 2 || before.length > 0 || !shop.notes().includes('door began')) return sql;
    silenced++;
    return SILENT;
  });
  const worker = shop.start(['--lease', '1s'], { DATABASE_URL: proxy.url });
  await until(
    () => silenced === 2 && proxy.seen.some((sql) => sql.includes('SET lease_expires_at')),
    'the lease is renewed',
  );
  shop.openGate('door');
  expect(await worker.ended).toMatchObject({ code: 0, signal: null });
  expect(await shop.job(id)).toMatchObject({ status: 'completed', attempts: 1, crashes: 0 });
}, 60_000);
