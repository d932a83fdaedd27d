import { createConnection as createCallbackConnection } from 'mysql2';
import { type Connection, createConnection } from 'mysql2/promise';
import { createQueue, type JobId, type Queue } from '../src';
import { createDatabase, type TestDatabase } from './support/database';

let db: TestDatabase;
let queue: Queue;
let connection: Connection;

beforeAll(async () => {
  db = await createDatabase();
  queue = createQueue(db.pool);
});

beforeEach(async () => {
  await db.pool.query('DELETE FROM background_jobs');
  await queue.enqueue({ type: 'test.there', uniqueKey: 'there' });
  connection = await createConnection({ uri: db.url });
});

afterEach(() => connection.end());

const duplicate = { type: 'test.there', uniqueKey: 'there' };
const some = [{ type: 'test.some' }, { type: 'test.some' }];
/** More than one INSERT. */
const many = Array<{ type: string }>(600).fill({ type: 'test.many' });

const readIds = async (...types: string[]): Promise<JobId[]> =>
  (await queue.list({ limit: 10_000 })).filter(({ type }) => types.includes(type)).map(({ id }) => id);

/** The ids that calls have answered with; a call that was refused has none. */
const told = (outcomes: PromiseSettledResult<JobId[]>[]): JobId[] =>
  outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? outcome.value : []));

const numerically = (ids: Iterable<JobId>): number[] => [...ids].map(Number).sort((a, b) => a - b);

describe.each([
  ['outside of a transaction', 'DO 0', 'DO 0'],
  ['inside of one', 'START TRANSACTION', 'COMMIT'],
])('calls at the same time on one connection, %s', (_, begin, end) => {
  test('undo nothing of each other', async () => {
    await connection.query(begin);
    const own = createQueue(connection);
    const outcomes = await Promise.allSettled<JobId[]>([
      own.enqueueMany([...many, duplicate]),
      own.enqueueMany(some),
      own.enqueueMany(many),
      own.enqueueMany([duplicate]),
      own.enqueue({ type: 'test.some' }).then((id): JobId[] => [id]),
      own.retry(1).then((): JobId[] => []),
    ]);
    await connection.query(end);
    expect(outcomes.map(({ status }) => status)).toEqual([
      'rejected',
      'fulfilled',
      'fulfilled',
      'rejected',
      'fulfilled',
      'fulfilled',
    ]);
    expect(numerically(await readIds('test.some', 'test.many'))).toEqual(numerically(told(outcomes)));
  });

  test('also by two queues, one on another wrapper of the same connection', async () => {
    const bare = createCallbackConnection({ uri: db.url });
    await bare.promise().query(begin);
    const clients = [bare, bare.promise(), bare.promise()];
    const outcomes = await Promise.allSettled(
      clients.map((client, at) => createQueue(client).enqueueMany(at === 1 ? [...many, duplicate] : many)),
    );
    await bare.promise().query(end);
    await bare.promise().end();
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(numerically(await readIds('test.many'))).toEqual(numerically(told(outcomes)));
  });
});

test('one INSERT on a connection needs no transaction: what the caller sends beside it stays', async () => {
  const own = createQueue(connection);
  const [refused] = await Promise.allSettled([
    own.enqueueMany([...some, duplicate]),
    ...Array.from({ length: 5 }, () => connection.query("INSERT INTO background_jobs (job_type) VALUES ('test.mine')")),
  ]);
  expect(refused).toMatchObject({ status: 'rejected', reason: { code: 'ROWLOCK_DUPLICATE_JOB' } });
  expect(await readIds('test.mine')).toHaveLength(5);
});
