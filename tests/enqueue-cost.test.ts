import { createConnection, createPool } from 'mysql2/promise';
import { createQueue } from '../src';
import { createDatabase, type TestDatabase } from './support/database';
import { rowlock } from './support/rowlock';
import { startTap, type Tap } from './support/tap';

let database: TestDatabase;
let tap: Tap;

beforeAll(async () => {
  database = await createDatabase();
});

beforeEach(async () => {
  tap = await startTap(database.urls.producer);
});

/** Each of these is a round trip, and every producer pays for it: who adds one says so here. */
const ONE = ['read_insert_terms', 'insert_plain_jobs'];

const jobs = (count: number) => Array.from({ length: count }, (_, n) => ({ type: 'test.echo', payload: { n } }));

/** What `work` sends on a connection that has sent something before. */
async function tapWork(work: () => Promise<unknown>): Promise<string[]> {
  const before = tap.sent.length;
  await work();
  return tap.sent.slice(before);
}

describe('the library', () => {
  test('on a pool of its own: a job asks this, and 10,000 are an INSERT for every 500, in one commit', async () => {
    await using queue = createQueue(tap.url);
    await queue.enqueue({ type: 'test.echo' });
    expect(await tapWork(() => queue.enqueue({ type: 'test.echo', payload: { n: 1 }, delay: '1h' }))).toEqual([
      'read_insert_terms',
      'insert_jobs',
    ]);
    const sent = await tapWork(() => queue.enqueueMany(jobs(10_000)));
    expect(sent).toEqual(['START TRANSACTION', 'read_insert_terms', ...Array(20).fill('insert_plain_jobs'), 'COMMIT']);
  });

  test('on a pool of the caller’s: the same', async () => {
    const pool = createPool(tap.url);
    try {
      const queue = createQueue(pool);
      await queue.enqueue({ type: 'test.echo' });
      expect(await tapWork(() => queue.enqueue({ type: 'test.echo' }))).toEqual(ONE);
      const sent = await tapWork(() => queue.enqueueMany(jobs(1_000)));
      expect(sent).toEqual([
        'START TRANSACTION',
        'read_insert_terms',
        'insert_plain_jobs',
        'insert_plain_jobs',
        'COMMIT',
      ]);
    } finally {
      await pool.end();
    }
  });

  test('in a transaction of the caller’s: what is one INSERT needs no savepoint', async () => {
    const connection = await createConnection(tap.url);
    try {
      const queue = createQueue(connection);
      await connection.beginTransaction();
      expect(await tapWork(() => queue.enqueue({ type: 'test.echo' }))).toEqual(ONE);
      expect(await tapWork(() => queue.enqueueMany(jobs(500)))).toEqual(ONE);
      expect(await tapWork(() => queue.enqueueMany(jobs(501)))).toEqual([
        'read_insert_terms',
        'ask_nothing',
        'SAVEPOINT rowlock_part',
        'insert_plain_jobs',
        'insert_plain_jobs',
        'RELEASE SAVEPOINT rowlock_part',
      ]);
      await connection.commit();
    } finally {
      await connection.end();
    }
  });
});

test('rowlock enqueue looks at the schema first', async () => {
  const sent = await tapWork(() => rowlock(['enqueue', 'test.echo', '{"n":1}'], { env: { DATABASE_URL: tap.url } }));
  expect(sent).toEqual(['set_session', 'set_isolation', 'list_migrations', ...ONE]);
});
