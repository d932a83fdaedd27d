import { explain, isTransient } from '../src/db/faults';
import { UnreachableError } from '../src/errors';
import { openQueueBench } from './support/queue';

// A run gives up what another session keeps locked, after ten tries of 3 s each. It once ended with the server's bare
// words, and with the exit code of a defect.
test('rows that stay locked are told with their mend, as a server that can be reached later', async () => {
  const { db, add } = await openQueueBench(2);
  const id = await add();
  const holder = await db.pool.getConnection();
  const other = await db.pool.getConnection();
  try {
    await holder.query('START TRANSACTION');
    await holder.query('SELECT id FROM background_jobs WHERE id = ? FOR UPDATE', [id]);
    await other.query('SET SESSION innodb_lock_wait_timeout = 1');
    const refused = await other
      .query('UPDATE background_jobs SET priority = 1 WHERE id = ?', [id])
      .catch((error: unknown) => error);
    const told = explain(refused, 'db:3306');
    expect(told).toBeInstanceOf(UnreachableError);
    expect(told).toMatchObject({
      message: expect.stringMatching(
        /^the database server at db:3306 has kept rows locked .*\(ER_LOCK_WAIT_TIMEOUT\); end/,
      ),
    });
  } finally {
    await holder.query('ROLLBACK');
    holder.destroy();
    other.destroy();
  }
});

// The server's own words for a shortage of its own: outcomes that it does not take just now are not lost, and fail no job.
test.each([1037, 1041, 1135, 1180, 1598, 1637])(
  'what the server lacks for a while (%i) is waited for',
  async (number) => {
    const { db } = await openQueueBench(1);
    const refused = await db.pool
      .query(`SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = ${number}, MESSAGE_TEXT = 'as it may say at any time'`)
      .catch((error: unknown) => error);
    expect(isTransient(refused)).toBe(true);
    expect(explain(refused, 'db:3306')).toBeInstanceOf(UnreachableError);
  },
);
