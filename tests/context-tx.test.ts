import type { PoolConnection } from 'mysql2/promise';
import { until } from './support/until';
import { openWorkshop, type Workshop } from './support/workshop';

let shop: Workshop;

beforeAll(async () => {
  shop = await openWorkshop('context-jobs.js');
  await shop.db.pool.query('CREATE TABLE effects (id INT AUTO_INCREMENT PRIMARY KEY, n INT)');
  await shop.db.pool.query('CREATE PROCEDURE commits() BEGIN COMMIT; END');
  await shop.db.pool.query('CREATE PROCEDURE counts() BEGIN SELECT COUNT(*) FROM effects; END');
});

beforeEach(async () => {
  await shop.clear();
  await shop.db.pool.query('TRUNCATE effects');
});

/** As the tests' own user, who may do everything: what is refused is refused by `tx`. */
const asAdmin = () => ({ DATABASE_URL: shop.db.url });

const REFUSED = [
  'COMMIT',
  'commit and chain',
  'ROLLBACK',
  'ROLLBACK TO SAVEPOINT x',
  'BEGIN',
  'START TRANSACTION',
  'SET autocommit = 1',
  'SET @@autocommit = 1',
  'SET @@session.autocommit=1',
  'SET LOCAL autocommit = 1',
  'SET `autocommit` = 1',
  'SET @a = 1, autocommit = 1',
  'SET/**/autocommit = 1',
  'SET @a = 1 /*!, autocommit = 1 */',
  'CREATE TABLE other (id INT)',
  'CREATE TEMPORARY TABLE other (id INT)',
  'ALTER TABLE effects ADD m INT',
  'DROP TABLE effects',
  'TRUNCATE effects',
  'RENAME TABLE effects TO others',
  'LOCK TABLES effects WRITE',
  '  -- a comment\n\tCOMMIT',
  '# another\nCOMMIT',
  '/* one */ /* two */COMMIT',
  '/*! COMMIT */',
  '/*!50000 COMMIT */',
  '/*M! COMMIT */',
  '(COMMIT)',
  "PREPARE s FROM 'COMMIT'",
  'EXECUTE s',
  "EXECUTE IMMEDIATE 'COMMIT'",
  'XA START "x"',
  'USE mysql',
  'IF 1 THEN COMMIT; END IF',
];

test('tx refuses whatever would end the transaction, and nothing stays', async () => {
  const statements = REFUSED.flatMap((sql) => [
    ['query', sql],
    ['execute', sql],
  ]);
  const id = await shop.add('tries', statements);
  await shop.run([], asAdmin());
  expect(shop.notes().join('\n')).toBe(statements.map(([, sql]) => `RefusedStatementError ${sql}`).join('\n'));
  expect(await shop.job(id)).toMatchObject({ status: 'pending', last_error: 'undo all' });
  expect(await shop.rows('SELECT * FROM effects')).toEqual([]);
});

test('tx takes statements that read and write rows, and undoes them with the rest', async () => {
  const taken = [
    'SELECT 1',
    '(SELECT 1)',
    '-- why\nSELECT 1',
    '/*+ no hint */ SELECT 1',
    'WITH one AS (SELECT 1) SELECT * FROM one',
    'INSERT INTO effects (n) VALUES (2)',
    'UPDATE effects SET n = 3',
    'DELETE FROM effects WHERE n = 9',
    'REPLACE INTO effects (id, n) VALUES (50, 4)',
    'SET @a = 1',
    'CALL counts()',
  ];
  const id = await shop.add(
    'tries',
    taken.map((sql) => ['query', sql]),
  );
  await shop.run([], asAdmin());
  expect(shop.notes()).toEqual(taken.flatMap((sql) => `passed ${sql}`.split('\n')));
  expect(await shop.job(id)).toMatchObject({ last_error: 'undo all' });
  expect(await shop.rows('SELECT * FROM effects')).toEqual([]);
});

test('a procedure that commits is noticed, and nothing further is written', async () => {
  const id = await shop.add('tries', [
    ['query', 'CALL commits()'],
    ['query', 'INSERT INTO effects (n) VALUES (2)'],
  ]);
  await shop.run([], asAdmin());
  expect(shop.notes()).toEqual([
    'RefusedStatementError CALL commits()',
    'RefusedStatementError INSERT INTO effects (n) VALUES (2)',
  ]);
  expect(await shop.job(id)).toMatchObject({ status: 'pending' });
  expect(await shop.rows('SELECT n FROM effects')).toEqual([{ n: 1 }]);
});

describe('a deadlock', () => {
  /** Makes the job's transaction the victim: it has written less than this one. */
  async function collide(other: PoolConnection): Promise<void> {
    await other.beginTransaction();
    await other.query('UPDATE effects SET n = n + 10 WHERE id >= 2');
    await until(() => shop.notes().includes('holds 1'), 'the job holds row 1');
    const waiting = other.query('UPDATE effects SET n = n + 10 WHERE id = 1');
    await until(isWaiting, 'the other waits for row 1');
    shop.openGate('both hold');
    await waiting;
    await other.commit();
  }

  // Not innodb_trx: MySQL answers from a cache, which is not renewed while somebody asks every few milliseconds.
  const isWaiting = async (): Promise<boolean> => {
    const [row] = await shop.rows(
      `SELECT COUNT(*) AS n FROM information_schema.processlist WHERE info LIKE 'UPDATE effects SET n = n + 10 WHERE id = 1'`,
    );
    return Number(row?.['n']) > 0;
  };

  test.each([
    ['deadlock', false],
    ['deadlock', true],
    ['deadlock.save', false],
    ['deadlock.save', true],
  ])('%s, swallowed: %s: the write runs again as a whole, and its effect is there once', async (type, swallow) => {
    await shop.db.pool.query('INSERT INTO effects (n) VALUES (0), (0)');
    await shop.db.pool.query(
      'INSERT INTO effects (n) SELECT a.n FROM effects AS a, effects AS b, effects AS c, effects AS d, effects AS e',
    );
    const id = await shop.add(type, { swallow });
    const run = shop.start([], asAdmin());
    const other = await shop.db.pool.getConnection();
    try {
      await collide(other);
    } finally {
      other.destroy();
    }
    expect(await run.ended).toMatchObject({ code: 0, stderr: '' });
    const first = swallow ? ['ER_LOCK_DEADLOCK', 'still ER_LOCK_DEADLOCK'] : ['ER_LOCK_DEADLOCK'];
    expect(shop.notes()).toEqual(['holds 1', ...first, 'holds 1']);
    expect(await shop.rows('SELECT n FROM effects WHERE id <= 2 OR n = 99')).toEqual([{ n: 11 }, { n: 11 }]);
    expect(await shop.job(id)).toMatchObject({ status: 'completed', attempts: 1 });
  });
});
