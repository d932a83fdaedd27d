import fc from 'fast-check';
import { findSyntaxFault, findUnstorable } from '../src/queue/payload-fault';

describe('findSyntaxFault', () => {
  test.each([
    ['', 'is empty'],
    ['  \n', 'is empty'],
    ['{"a":', 'is no JSON: it ends too soon'],
    ['{a: 1}', 'is no JSON: line 1, column 2'],
    ['{"a": 1,\n "b": secret}', 'is no JSON: line 2, column 7'],
    ['[1,]', 'is no JSON: line 1, column 4'],
    ['nul', 'is no JSON: line 1, column 1'],
    ["{'a': 1}", 'is no JSON: line 1, column 2'],
  ])('%j %s', (text, fault) => {
    expect(findSyntaxFault(text)).toBe(fault);
  });

  test('takes whatever JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 20 }), (value) => findSyntaxFault(JSON.stringify(value)) === undefined),
    );
  });

  test('never quotes the text', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const fault = findSyntaxFault(`{"password": s3cret-${text}`) ?? '';
        return fault.startsWith('is no JSON') && !fault.includes('s3cret');
      }),
    );
  });
});

describe('findUnstorable', () => {
  test.each([
    '0',
    '-9223372036854775808',
    '18446744073709551615',
    '9007199254740993',
    '1e21',
    '1.7976931348623157e308',
    '3.141592653589793',
    '1.10000000000000000000',
    '{"a": "99999999999999999999999"}',
    '"[[[[{{{{\\"]"',
    `${'['.repeat(100)}${']'.repeat(100)}`,
  ])('what is stored as it is, %#', (json) => {
    expect(findUnstorable(json)).toBeUndefined();
  });

  test.each([
    ['18446744073709551616', /an integer beyond 64 bits.*send it as a string/],
    ['{"deep": [-9223372036854775809]}', /beyond 64 bits/],
    ['1e400', /beyond the range of a double/],
    ['9007199254740993.0', /more digits than a double has/],
    ['3.14159265358979312345', /more digits than a double has/],
    [`${'['.repeat(101)}${']'.repeat(101)}`, /deeper than 100 levels/],
    ['['.repeat(1_000_000), /deeper than 100 levels/],
  ])('what a server would refuse or round, %#', (json, fault) => {
    expect(findUnstorable(json)).toMatch(fault);
  });

  test('reads a string of megabytes without running out of stack', () => {
    expect(findUnstorable(JSON.stringify('"'.repeat(3_000_000)))).toBeUndefined();
  });

  test('takes every number that JavaScript writes', () => {
    fc.assert(
      fc.property(
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        (n) => findUnstorable(JSON.stringify({ n })) === undefined || Math.abs(n) >= 2 ** 63,
      ),
    );
  });
});
