import { parseIds } from '../src/commands/ids';
import { ExactJson, toJsonLine } from '../src/commands/print';
import { parseRunAt } from '../src/commands/run-at';
import { harmless, harmlessJson, withEscapes } from '../src/harmless';
import { findNearest } from '../src/nearest';
import { sayBriefly, sayCount, sayDuration, sayName, sayTime } from '../src/words';

test.each([
  [0, '0 s'],
  [12_400, '12 s'],
  [179_000, '3 min'],
  [7_200_000, '2 h'],
  [14 * 86_400_000, '14 d'],
])('%d ms are %s', (ms, words) => {
  expect(sayDuration(ms)).toBe(words);
});

test('a time is told from now and as a clock has it', () => {
  const now = new Date('2026-11-23T10:00:00.250Z');
  expect(sayTime(new Date('2026-11-23T09:55:00Z'), now)).toBe('5 min ago (2026-11-23 09:55:00Z)');
  expect(sayTime(new Date('2026-11-23T13:00:00Z'), now)).toBe('in 3 h (2026-11-23 13:00:00Z)');
  expect(sayTime(null, now)).toBe('');
});

test('where counting ended, a plus says so', () => {
  expect([sayCount(7), sayCount(99_999), sayCount(100_000), sayCount(200_000)]).toEqual([
    '7',
    '99,999',
    '100,000+',
    '200,000+',
  ]);
});

test('text of a row cannot command the terminal, and keeps its emoji', () => {
  expect(harmless('a\u001b[31m\tb\u0000\u009b😀')).toBe('a\uFFFD[31m  b\uFFFD\uFFFD😀');
  expect(harmless('a\u202eb\u2028c\u2066d')).toBe('a\uFFFDb\uFFFDc\uFFFDd');
  expect(sayBriefly('first 😀😀😀😀\nsecond', 9)).toBe('first 😀😀…');
  expect(sayBriefly(null, 9)).toBe('');
});

test('two names never look the same, and none commands the terminal', () => {
  expect(sayName('a\n\u001b\u007f\u009b\u202eb')).toBe(String.raw`a\n\u001b\u007f\u009b\u202eb`);
  expect(withEscapes('plain \u00e4 😀')).toBe('plain \u00e4 😀');
});

test('JSON says the same, on one line, with what commands a terminal escaped', () => {
  const text = '{"a":\n\t"\u009b31m \u007f\u2028\u202e"}';
  const line = toJsonLine([new ExactJson(text), '\u009b']);
  expect(line).toBe(String.raw`[{"a":  "\u009b31m \u007f\u2028\u202e"},"\u009b"]`);
  expect(JSON.parse(line)).toEqual([JSON.parse(text), '\u009b']);
  expect(JSON.parse(harmlessJson(text))).toEqual(JSON.parse(text));
});

test('exact JSON goes through untouched', () => {
  const line = toJsonLine({
    id: new ExactJson('18446744073709551615'),
    none: undefined,
    at: new Date(0),
    of: [null, 'a"b'],
  });
  expect(line).toBe('{"id":18446744073709551615,"at":"1970-01-01T00:00:00.000Z","of":[null,"a\\"b"]}');
});

test.each([
  ['2027-01-31T06:00:00Z', '2027-01-31T06:00:00.000Z'],
  ['2027-01-31T06:00:00', '2027-01-31T06:00:00.000Z'],
  ['2027-01-31 06:00', '2027-01-31T06:00:00.000Z'],
  ['2027-01-31', '2027-01-31T00:00:00.000Z'],
  ['2027-01-31T06:00:00.123456+0130', '2027-01-31T04:30:00.123Z'],
  ['2027-01-31T06:00:00-08:00', '2027-01-31T14:00:00.000Z'],
  ['1971-06-01T00:00:00Z', '1971-06-01T00:00:00.000Z'],
])('%s is %s, in whatever zone this machine is', (words, iso) => {
  expect(parseRunAt(words).toISOString()).toBe(iso);
});

test.each(['', 'tomorrow', '2027-02-30', '2027-13-01', '2027-01-31T25:00', '2027-01-31T06:00 Mars', '31.01.2027'])(
  '%j is no time',
  (words) => {
    expect(() => parseRunAt(words)).toThrow(/is no time such as/);
  },
);

test('ids are numbers where a double holds them, and each is taken once', () => {
  expect(parseIds(['7', '07', '9007199254740993'])).toEqual([7, '9007199254740993']);
  for (const word of ['x', '-1', '1.5', '', '18446744073709551616'])
    expect(() => parseIds([word])).toThrow(/is no job id/);
});

test('a near name is found, a far one is not', () => {
  const known = ['email.send', 'report.generate'];
  expect(findNearest('emial.send', known)).toBe('email.send');
  expect(findNearest('invoice.send', known)).toBeUndefined();
  expect(findNearest('email.send', known)).toBeUndefined();
  expect(findNearest('x', [])).toBeUndefined();
});

test('a name is told on one line, and is never taken for another', () => {
  expect(sayName('mail')).toBe('mail');
  expect(sayName('a\nb')).toBe('a\\nb');
  expect(sayName('\u001b[2J')).toBe('\\u001b[2J');
  expect(sayName('😀'.repeat(50))).toBe(`${'😀'.repeat(39)}…`);
});
