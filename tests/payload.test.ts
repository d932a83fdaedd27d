import fc from 'fast-check';
import { z } from 'zod';
import { JsonError, parseJson, toJson, validate } from '../src/worker/payload';

describe('parseJson', () => {
  test('integers beyond 2^53 are exact, all else is as JSON.parse has it', () => {
    expect(
      parseJson(
        '{"a":9007199254740991,"b":9007199254740993,"c":-18446744073709551615,"d":1.5,"e":"12345678901234567890"}',
      ),
    ).toEqual({
      a: 9007199254740991,
      b: 9007199254740993n,
      c: -18446744073709551615n,
      d: 1.5,
      e: '12345678901234567890',
    });
  });

  test('SQL NULL is null, and the last of two equal keys counts', () => {
    expect(parseJson(null)).toBeNull();
    expect(parseJson('{"a":1234567890123456789,"a":1}')).toEqual({ a: 1 });
  });

  test('a key named __proto__ stays a key', () => {
    const parsed = parseJson('{"__proto__":1234567890123456789}') as object;
    expect(Object.keys(parsed)).toEqual(['__proto__']);
  });

  test.each(['', '{', '{"password":"secret', '[1234567890123456789,]'])(
    '%j is refused without being quoted',
    (text) => {
      expect(() => parseJson(text)).toThrow(new JsonError('the text is no JSON'));
    },
  );
});

describe('toJson', () => {
  test('a BigInt is a bare number', () => {
    expect(toJson({ id: 9007199254740993n, list: [1n] })).toBe('{"id":9007199254740993,"list":[1]}');
  });

  test('nothing is null', () => {
    expect(toJson(undefined)).toBe('null');
    expect(toJson({ a: undefined, b: [undefined] })).toBe('{"b":[null]}');
  });

  test('half of a surrogate pair is replaced, in keys too, and an escaped backslash is left alone', () => {
    expect(toJson({ 'k\uD800': 'v\uDC00', kept: '\\ud800 😀' })).toBe('{"k\\ufffd":"v\\ufffd","kept":"\\\\ud800 😀"}');
    expect(toJson(['\uD800', 9007199254740993n])).toBe('["\\ufffd",9007199254740993]');
  });

  test.each([
    ['a function', { call: () => 1 }],
    ['a symbol', [Symbol('s')]],
    ['a bare function', () => 1],
    ['an integer that no double holds', 10n ** 400n],
    [
      'a toJSON that throws',
      {
        toJSON: () => {
          throw new Error('no');
        },
      },
    ],
  ])('%s is refused', (_name, value) => {
    expect(() => toJson(value)).toThrow(JsonError);
  });

  test('a cycle is refused in one line', () => {
    const cycle: Record<string, unknown> = { id: 1n };
    cycle['self'] = cycle;
    expect(() => toJson(cycle)).toThrow(/^the value is no JSON: .*circular.*$/);
  });

  test('whatever is JSON comes back as it was', () => {
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }).filter((n) => !Number.isSafeInteger(Number(n))),
        fc.integer(),
        fc.boolean(),
        fc.constant(null),
        fc.string({ unit: 'grapheme' }),
        fc.array(tie('any')),
        fc.dictionary(fc.string(), tie('any'), { noNullPrototype: true }),
      ),
    })).any;
    fc.assert(fc.property(value, (given) => expect(parseJson(toJson(given))).toEqual(given)));
  });
});

describe('validate', () => {
  const schema = z.object({ to: z.email(), items: z.array(z.object({ price: z.number() })) });

  test('answers with what the schema made of the payload', async () => {
    expect(await validate(z.object({ n: z.coerce.number() }), { n: '5' })).toEqual({ value: { n: 5 } });
  });

  test('a refusal names each field and no value', async () => {
    const refused = await validate(schema, { to: 'secret-value', items: [{ price: 1 }, { price: 'secret-value' }] });
    expect(refused).toEqual({
      refused: expect.stringMatching(/^payload refused: to: Invalid email.*; items\.1\.price: .*expected number/),
    });
    expect(JSON.stringify(refused)).not.toContain('secret-value');
  });

  test('a number that would be rounded is refused where a number is wanted', async () => {
    expect(await validate(z.object({ n: z.number() }), parseJson('{"n":9007199254740993}'))).toHaveProperty('refused');
  });

  test('an asynchronous schema of another library', async () => {
    const other = {
      '~standard': {
        version: 1 as const,
        vendor: 'other',
        validate: async () => ({ issues: [{ message: 'too\nold', path: [{ key: 'age' }, 0] }, { message: 'odd' }] }),
      },
    };
    expect(await validate(other, {})).toEqual({ refused: 'payload refused: age.0: too old; odd' });
  });

  test('is at most 2,000 characters, and on one line', async () => {
    const record = z.record(z.string(), z.number());
    const payload = Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`😀${n}\n${'x'.repeat(300)}`, 'x']));
    const { refused = '' } = (await validate(record, payload)) as { refused?: string };
    expect(refused.length).toBeLessThanOrEqual(2_000);
    expect(refused.isWellFormed()).toBe(true);
    expect(refused).not.toContain('\n');
  });
});
