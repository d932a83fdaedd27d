/** MySQL takes no deeper document; MariaDB counts the same way, and stops sooner in some versions. */
const DEEPEST = 100;

const LEAST_INTEGER = -(2n ** 63n);
const GREATEST_INTEGER = 2n ** 64n - 1n;

/** Without a run of 16 digits or an exponent every number is stored exactly. */
const MAY_BE_ROUNDED = /\d{16}|\d[eE]/;

/** A number that a server would round or refuse. The number itself is payload and is not told. */
class UnfitNumber extends Error {}

/**
 * What a server would refuse, or round without a word, in JSON text; undefined if nothing. Quotes nothing
 * of the text: it may be secret.
 */
export function findUnstorable(json: string): string | undefined {
  if (depthOf(json) > DEEPEST) return `is nested deeper than ${DEEPEST} levels, which MySQL refuses`;
  if (!MAY_BE_ROUNDED.test(json)) return undefined;
  try {
    parseLossless(json, checkNumber);
  } catch (error) {
    if (error instanceof UnfitNumber) return error.message;
    throw error;
  }
  return undefined;
}

/** Where text stops being JSON, in words; undefined if it is JSON. Quotes nothing of the text. */
export function findSyntaxFault(text: string): string | undefined {
  if (text.trim() === '') return 'is empty';
  if (depthOf(text) > DEEPEST) return undefined; // for findUnstorable to say: a parser may run out of stack
  try {
    JSON.parse(text);
    return undefined;
  } catch {
    // JSON.parse quotes the text in its message and does not always say where; the other parser does.
    return `is no JSON${placeOf(text)}`;
  }
}

function placeOf(text: string): string {
  try {
    parseLossless(text, Number);
  } catch (error) {
    const found = /at position (\d+)$/.exec(error instanceof Error ? error.message : '')?.[1];
    if (found === undefined) return '';
    if (Number(found) >= text.length) return ': it ends too soon';
    const before = text.slice(0, Number(found)).split('\n');
    return `: line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
  }
  return '';
}

function parseLossless(text: string, parseNumber: (digits: string) => number): void {
  const { parse } = require('lossless-json') as typeof import('lossless-json');
  parse(text, null, { parseNumber, onDuplicateKey: ({ newValue }) => newValue });
}

function checkNumber(digits: string): number {
  if (/^-?\d+$/.test(digits)) {
    const integer = BigInt(digits);
    if (integer >= LEAST_INTEGER && integer <= GREATEST_INTEGER) return 0;
    throw new UnfitNumber('holds an integer beyond 64 bits, which the database would round; send it as a string');
  }
  const { compareNumber } = require('lossless-json') as typeof import('lossless-json');
  const double = Number(digits);
  if (!Number.isFinite(double))
    throw new UnfitNumber('holds a number beyond the range of a double; send it as a string');
  if (compareNumber(digits, String(double)) === 0) return 0;
  throw new UnfitNumber(
    'holds a number with more digits than a double has, which the database would round; send it as a string',
  );
}

/** By a loop and not by a regular expression, which runs out of stack in a string of some megabytes. */
function depthOf(json: string): number {
  let depth = 0;
  let deepest = 0;
  for (let at = 0; at < json.length; at++) {
    const char = json[at];
    if (char === '"') at = endOfString(json, at);
    else if (char === '[' || char === '{') deepest = Math.max(deepest, ++depth);
    else if (char === ']' || char === '}') depth--;
  }
  return deepest;
}

function endOfString(json: string, start: number): number {
  for (let at = start + 1; at < json.length; at++) {
    if (json[at] === '\\') at++;
    else if (json[at] === '"') return at;
  }
  return json.length;
}
