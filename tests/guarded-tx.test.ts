import fc from 'fast-check';
import type { PoolConnection } from 'mysql2/promise';
import { ON_MARIADB } from '../src/db/caller';
import { GuardedTx } from '../src/worker/guarded-tx';

/** A connection that notes what it is sent and answers as told: which statements get through is all that is asked here. */
function connection(answer: (sql: string) => Promise<unknown> = async () => []) {
  const sent: string[] = [];
  const send = (sql: string) => {
    sent.push(sql);
    return answer(sql);
  };
  const guard = new GuardedTx({ query: send, execute: send } as unknown as PoolConnection);
  return { sent, guard, tx: guard.handle };
}

const refusal = { name: 'RefusedStatementError' };

const blank = fc.constantFrom(' ', '\n', '\t', '/* c */', '/**/', '-- c\n', '#c\n', '(', '/* a * / b */');
const blanks = fc.array(blank, { maxLength: 6 }).map((parts) => parts.join(''));

/** The same word in upper and lower case, at random. */
const mixed = (word: string) =>
  fc
    .array(fc.boolean(), { minLength: word.length, maxLength: word.length })
    .map((upper) => [...word].map((char, index) => (upper[index] ? char.toUpperCase() : char)).join(''));

test('whatever stands before it, in any case, the end of a transaction is refused', async () => {
  const ends = fc
    .constantFrom(
      'commit',
      'rollback',
      'begin',
      'start transaction',
      'create table t (a int)',
      'drop table t',
      'set autocommit=1',
      'set @@autocommit = 0',
      'lock tables t write',
      "xa end 'x'",
    )
    .chain(mixed);
  await fc.assert(
    fc.asyncProperty(blanks, ends, async (before, end) => {
      const { tx, sent } = connection();
      await expect(tx.query(before + end)).rejects.toMatchObject(refusal);
      await expect(tx.execute({ sql: before + end })).rejects.toMatchObject(refusal);
      expect(sent).toEqual([]);
    }),
  );
});

test('whatever stands before it, in any case, a statement about rows passes unchanged', async () => {
  const rows = fc
    .constantFrom(
      'select 1',
      'insert into t values (1)',
      'update t set commit = 1',
      'delete from t',
      'replace into t values (1)',
      'with c as (select 1) select * from c',
      'set @a = 1',
    )
    .chain(mixed);
  await fc.assert(
    fc.asyncProperty(blanks, rows, async (before, statement) => {
      const { tx, sent } = connection();
      await tx.query(before + statement);
      expect(sent).toEqual([before + statement]);
    }),
  );
});

test.each([[undefined], [null], [42], [{}], [''], ['/* unended'], ['selection'], [{ sql: 7 }]])(
  '%p is refused',
  async (given) => {
    const { tx, sent } = connection();
    await expect(tx.query(given as string)).rejects.toMatchObject(refusal);
    expect(sent).toEqual([]);
  },
);

test('a statement of some megabytes is looked at quickly', async () => {
  const { tx } = connection();
  const started = performance.now();
  await tx.query(`INSERT INTO t VALUES ('${'(/*! -- '.repeat(500_000)}')`);
  await tx.query(`${' /* c */\n'.repeat(100_000)}SELECT 1`);
  expect(performance.now() - started).toBeLessThan(1_000);
});

test('after a lock conflict it takes nothing more, also if the function has caught the error', async () => {
  const deadlock = Object.assign(new Error('Deadlock found'), { errno: 1213 });
  const { tx, guard, sent } = connection(() => Promise.reject(deadlock));
  await expect(tx.query('SELECT 1')).rejects.toBe(deadlock);
  await expect(tx.query('SELECT 2')).rejects.toBe(deadlock);
  await expect(guard.close()).rejects.toBe(deadlock);
  expect(sent).toEqual(['SELECT 1']);
});

test('an error that undoes its statement alone is the function’s own business', async () => {
  const duplicate = Object.assign(new Error('Duplicate entry'), { errno: 1062 });
  const { tx, guard, sent } = connection((sql) =>
    sql === 'INSERT 1' ? Promise.reject(duplicate) : Promise.resolve([]),
  );
  await expect(tx.query('INSERT 1')).rejects.toBe(duplicate);
  await tx.query('INSERT 2');
  await guard.close();
  expect(sent).toEqual(['INSERT 1', 'INSERT 2']);
});

test("behind the beginning of the library's own statements no other is let through", async () => {
  const { tx, sent } = connection();
  await expect(tx.query(`${ON_MARIADB}COMMIT`)).rejects.toMatchObject(refusal);
  await expect(tx.query(`${ON_MARIADB}${ON_MARIADB}SELECT 1`)).rejects.toMatchObject(refusal);
  expect(sent).toEqual([]);
  await tx.query(`${ON_MARIADB}SELECT 1`);
  expect(sent).toEqual([`${ON_MARIADB}SELECT 1`]);
});
