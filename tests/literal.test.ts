import fc from 'fast-check';
import { createConnection } from 'mysql2/promise';
import { sizeAsLiteral, withLiterals } from '../src/db/literal';

const text = fc
  .oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.string({
      unit: fc.constantFrom(
        "'",
        '"',
        '\\',
        '?',
        ':',
        'a',
        '0',
        '-',
        ' ',
        '#',
        '/*',
        '\0',
        '\x1a',
        '\n',
        '`',
        '$&',
        'é',
      ),
      maxLength: 12,
    }),
  )
  .map((any) => any.toWellFormed());

test.each(['', 'NO_BACKSLASH_ESCAPES', 'ANSI', 'STRICT_ALL_TABLES,NO_BACKSLASH_ESCAPES,ANSI_QUOTES'])(
  'any text arrives as it is, under the sql_mode "%s"',
  async (mode) => {
    const connection = await createConnection({
      uri: process.env['ROWLOCK_TEST_DATABASE_URL'] ?? '',
      charset: 'latin1',
    });
    await connection.query('SET sql_mode = ?', [mode]);
    const one = withLiterals('SELECT HEX(:text) AS hex, :after AS after', { text: 'é', after: 1 });
    expect((await connection.query(one))[0]).toEqual([{ hex: 'C3A9', after: 1 }]);
    await fc.assert(
      fc.asyncProperty(text, async (given) => {
        const sql = withLiterals('SELECT HEX(:text) AS hex, :after AS after', { text: given, after: 1 });
        const [rows] = await connection.query({ sql, values: [] });
        expect(rows).toEqual([{ hex: Buffer.from(given).toString('hex').toUpperCase(), after: 1 }]);
        expect(sql.length - "SELECT HEX(_utf8mb4 X'') AS hex, 1 AS after".length).toBeLessThanOrEqual(
          sizeAsLiteral(given),
        );
      }),
      { numRuns: 150 },
    );
    await connection.end();
  },
);

test('values of every kind, and nothing within quotes', () => {
  const values = {
    n: -1.5,
    yes: true,
    none: null,
    at: new Date(1_234),
    ids: [1, '2'],
    rows: [
      [1, null],
      ["'", 'b'],
    ],
  };
  expect(withLiterals("SELECT ':n', '+00:00', :n, :yes, :none, :at, :ids, :rows", values)).toBe(
    "SELECT ':n', '+00:00', -1.5, true, NULL, FROM_UNIXTIME(1.234), 1,'2', (1,NULL),(_utf8mb4 X'27','b')",
  );
  expect(() => withLiterals('SELECT :missing', values)).toThrow(
    'the statement has a placeholder :missing and no value for it',
  );
});
