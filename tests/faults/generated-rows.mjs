import fc from 'fast-check';

/**
 * A row as an app may write it, or may try to.
 * @typedef {object} GeneratedRow
 * @property {(typeof SESSIONS)[number]['name']} session of whom
 * @property {string} type
 * @property {string | null} payload text that may be JSON
 * @property {string | undefined} queue all of these: undefined leaves the column out
 * @property {number | undefined} priority
 * @property {string | undefined} runAt a text, or an expression in SQL where it begins with `=`
 * @property {string | null | undefined} key
 * @property {number | null | undefined} maxAttempts
 */

/** How apps are connected: not each has a strict session, utf8mb4 and UTC. */
export const SESSIONS = /** @type {const} */ ([
  { name: 'strict', charset: 'UTF8MB4_BIN', statement: `SET sql_mode = 'STRICT_ALL_TABLES'` },
  { name: 'lenient', charset: 'UTF8MB4_GENERAL_CI', statement: `SET sql_mode = ''` },
  { name: 'latin', charset: 'LATIN1_SWEDISH_CI', statement: `SET sql_mode = ''` },
  { name: 'far', charset: 'UTF8MB4_BIN', statement: `SET time_zone = '-11:30', sql_mode = 'STRICT_TRANS_TABLES'` },
]);

/** Of hell.cjs; how they end is up to their payload and their max_attempts. */
const KNOWN_TYPES = ['rows.echo', 'noop', 'effect.complete', 'effect.save', 'fail', 'retry', 'once'];

export const PAUSED_QUEUE = 'held back';

const anyText = fc.string({ unit: 'binary', maxLength: 12 });

const type = fc.oneof(
  { weight: 240, arbitrary: fc.constant('rows.echo') },
  { weight: 100, arbitrary: fc.constantFrom(...KNOWN_TYPES) },
  { weight: 20, arbitrary: fc.constantFrom('noop ', 'rows.echo   ', 'effect.complete ') },
  {
    weight: 20,
    arbitrary: fc.constantFrom(
      '',
      ' ',
      'NOOP',
      '\tnoop',
      'noop\0',
      '__proto__',
      'toString',
      'rowlock.prune',
      '📬',
      '%',
    ),
  },
  { weight: 10, arbitrary: anyText },
  { weight: 10, arbitrary: fc.constantFrom('x'.repeat(255), '📬'.repeat(255), 'x'.repeat(256)) },
);

const ODD_NUMBERS = [
  '9007199254740993',
  '-9007199254740993',
  '18446744073709551615',
  '-9223372036854775809',
  '123456789012345678901234567890',
  '1e400',
  '-1E-400',
  '-0',
  '0.1000000000000000055511151231257827',
];

const ODD_TEXTS = [
  '"\\u0000"',
  '"\\ud83d"',
  '"\\ud83d\\udcec 📬"',
  '{"a": 1, "a": 2}',
  '{"__proto__": {"admin": true}, "n": 12345678901234567890}',
  '{"constructor": null, "toString": 1, "then": 2}',
  '{"": {"": [[], {}, null, true]}}',
  ' \n\t[ ] ',
  'null',
];

const NO_JSON = [
  '{',
  'nul',
  "{'a': 1}",
  '',
  ' ',
  '\ufeff{}',
  '[1,]',
  '01',
  '"\t"',
  '+1',
  '.5',
  '1.',
  'NaN',
  '"\\x"',
  '[]]',
];

const LARGEST = 1_200_000;

/** @param {number} depth */
const nested = (depth) => '['.repeat(depth) + ']'.repeat(depth);

/** @param {string} canary what must be in no log */
const payload = (canary) =>
  fc.oneof(
    { weight: 120, arbitrary: fc.json({ maxDepth: 6 }) },
    { weight: 80, arbitrary: fc.json().map((json) => `{"canary": "${canary}", "value": ${json}}`) },
    { weight: 40, arbitrary: fc.constantFrom(...ODD_NUMBERS).map((digits) => `{"n": [${digits}]}`) },
    { weight: 40, arbitrary: fc.constantFrom(...ODD_TEXTS) },
    { weight: 30, arbitrary: fc.constantFrom(...NO_JSON) },
    { weight: 20, arbitrary: fc.integer({ min: 1, max: 150 }).map(nested) },
    { weight: 20, arbitrary: fc.constant(null) },
    { weight: 10, arbitrary: anyText.map((text) => JSON.stringify({ canary, [text]: text })) },
    { weight: 2, arbitrary: fc.integer({ min: 1, max: LARGEST }).map((length) => `"${'é'.repeat(length / 2)}"`) },
  );

const queue = fc.oneof(
  { weight: 120, arbitrary: fc.constantFrom(undefined, 'default', 'mail', 'reports') },
  { weight: 20, arbitrary: fc.constantFrom('default ', ' default', 'Default', 'mail  ', '', ' ', '\t', '\0', '📬') },
  { weight: 10, arbitrary: fc.constantFrom(PAUSED_QUEUE, `${PAUSED_QUEUE} `, `${PAUSED_QUEUE}  `) },
  { weight: 3, arbitrary: anyText },
  { weight: 3, arbitrary: fc.constantFrom('q'.repeat(255), 'q'.repeat(256)) },
);

const priority = fc.oneof(
  { weight: 80, arbitrary: fc.constant(undefined) },
  { weight: 40, arbitrary: fc.integer({ min: -2, max: 2 }) },
  { weight: 10, arbitrary: fc.constantFrom(-32_768, 32_767, 32_768, -32_769) },
  { weight: 5, arbitrary: fc.integer({ min: -32_768, max: 32_767 }) },
);

const runAt = fc.oneof(
  { weight: 120, arbitrary: fc.constant(undefined) },
  { weight: 40, arbitrary: fc.constantFrom('=NOW(3) + INTERVAL 1 SECOND', '=NOW()', '=CURRENT_TIMESTAMP(6)') },
  {
    weight: 30,
    arbitrary: fc.constantFrom(
      '1970-01-01 00:00:01',
      '1970-01-01 12:00:01',
      '1970-01-02',
      '2000-02-29 23:59:59.999999',
      '2038-01-19 03:14:07',
      '2038-01-18 15:44:07.999',
      '2037-12-31',
    ),
  },
  {
    weight: 20,
    arbitrary: fc.constantFrom(
      '0000-00-00 00:00:00',
      '',
      'soon',
      '2026-02-30',
      '1969-12-31',
      '9999-12-31 23:59:59',
      '0',
    ),
  },
  { weight: 10, arbitrary: fc.date({ noInvalidDate: true }).map((date) => date.toISOString().slice(0, 19)) },
);

const key = fc.oneof(
  { weight: 120, arbitrary: fc.constantFrom(undefined, null) },
  { weight: 20, arbitrary: fc.constantFrom('', ' ', 'a', 'A', 'a ', 'é', 'e', '\0', '📬') },
  { weight: 40, arbitrary: fc.string({ unit: 'binary', maxLength: 60 }) },
  { weight: 5, arbitrary: fc.constantFrom('k'.repeat(255), 'k'.repeat(256)) },
);

const maxAttempts = fc.oneof(
  { weight: 100, arbitrary: fc.constantFrom(undefined, null) },
  { weight: 40, arbitrary: fc.integer({ min: 0, max: 4 }) },
  { weight: 10, arbitrary: fc.constantFrom(4_294_967_295, 4_294_967_296, -1) },
);

/**
 * Rows over every column that a producer may write: what a server takes, and what it does not.
 *
 * @param {number} count
 * @param {number} seed
 * @param {string} canary
 * @returns {GeneratedRow[]}
 */
export const generateRows = (count, seed, canary) =>
  fc.sample(
    fc.record({
      session: fc.constantFrom(...SESSIONS.map(({ name }) => name)),
      type,
      payload: payload(canary),
      queue,
      priority,
      runAt,
      key,
      maxAttempts,
    }),
    { numRuns: count, seed },
  );
