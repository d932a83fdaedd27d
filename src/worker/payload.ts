import type { StandardSchemaV1 } from '@standard-schema/spec';
import { messageOf } from '../errors';

/** Text that is no JSON, or a value that JSON cannot hold. Never says what the text or the value is. */
export class JsonError extends Error {
  override readonly name = 'JsonError';
}

/** Shorter runs of digits are exact in a double, whatever stands around them. */
const LONG_NUMBER = /\d{16}/;

/**
 * The value of a JSON column. Integers outside of ±(2^53 − 1) become BigInt, so that none is ever rounded;
 * fractions are doubles, as everywhere in JavaScript. SQL NULL is null, and of two equal keys the last counts.
 *
 * @throws JsonError
 */
export function parseJson(text: string | null): unknown {
  if (text === null) return null;
  try {
    return LONG_NUMBER.test(text) ? parseLossless(text) : JSON.parse(text);
  } catch {
    // The parser's own message quotes the text, which may be secret and would reach last_error.
    throw new JsonError('the text is no JSON');
  }
}

/**
 * JSON text that both families of servers take. A BigInt becomes a bare number; half of a surrogate pair,
 * which MySQL refuses, becomes U+FFFD. `undefined` is `null`: a function that returns nothing has the
 * result null. NaN and infinities are null, as JSON.stringify has them.
 *
 * @throws JsonError for functions, symbols, cycles and integers past the range of a double, which MySQL refuses
 */
export function toJson(value: unknown): string {
  if (value === undefined) return 'null';
  let hasBigInt = false;
  const inspect = (key: string, member: unknown): unknown => {
    if (typeof member === 'function' || typeof member === 'symbol') {
      throw new JsonError(`a ${typeof member}${key === '' ? '' : ` at "${key.slice(0, 100)}"`} is no JSON`);
    }
    if (typeof member !== 'bigint') return member;
    if (!Number.isFinite(Number(member)))
      throw new JsonError('an integer past the range of a double is refused by MySQL');
    hasBigInt = true;
    return 0;
  };
  try {
    // JSON.stringify also finds cycles; the lossless writer would run into the end of the stack.
    const text = JSON.stringify(value, inspect) ?? 'null';
    return replaceLoneSurrogates(hasBigInt ? stringifyLossless(value) : text);
  } catch (error) {
    if (error instanceof JsonError) throw error;
    throw new JsonError(`the value is no JSON: ${firstLine(messageOf(error))}`, { cause: error });
  }
}

function parseLossless(text: string): unknown {
  const { parse } = require('lossless-json') as typeof import('lossless-json');
  return parse(text, null, { parseNumber, onDuplicateKey: ({ newValue }) => newValue });
}

function parseNumber(digits: string): number | bigint {
  const number = Number(digits);
  return Number.isSafeInteger(number) || !/^-?\d+$/.test(digits) ? number : BigInt(digits);
}

function stringifyLossless(value: unknown): string {
  const { stringify } = require('lossless-json') as typeof import('lossless-json');
  return stringify(value) ?? 'null';
}

/** JSON.stringify writes only lone halves as escapes; `\\` is taken whole, so that `\\ud800` stays. */
function replaceLoneSurrogates(json: string): string {
  if (!json.includes('\\ud')) return json;
  return json.replaceAll(/\\(?:ud[89a-f][0-9a-f]{2}|.)/g, (found) => (found.startsWith('\\ud') ? '\\ufffd' : found));
}

const firstLine = (text: string): string => text.split('\n', 1)[0] ?? '';

/** What a schema made of a payload, or why it refused it. */
export type Validated<T> = { value: T; refused?: never } | { refused: string };

const LONGEST_REFUSAL = 2_000;
const LONGEST_NAME = 100;

/**
 * Checks a payload. A refusal names each field and what the schema says of it, never the field's value.
 *
 * @throws whatever the schema throws: that is a fault of the schema, not of the payload
 */
export async function validate<T>(schema: StandardSchemaV1<unknown, T>, payload: unknown): Promise<Validated<T>> {
  const result = await schema['~standard'].validate(payload);
  if (result.issues === undefined) return { value: result.value };
  const faults = result.issues.map(sayIssue).join('; ').toWellFormed().replaceAll('\0', '\uFFFD');
  return { refused: shorten(`payload refused: ${faults}`, LONGEST_REFUSAL) };
}

function sayIssue({ message, path }: StandardSchemaV1.Issue): string {
  const field = (path ?? []).map(sayKey).join('.');
  const said = message.replaceAll(/\s+/g, ' ').trim();
  return field === '' ? said : `${field}: ${said}`;
}

/** A key may be the payload's own text, such as that of a record: on one line, and not all of it. */
function sayKey(segment: PropertyKey | StandardSchemaV1.PathSegment): string {
  const key = typeof segment === 'object' ? segment.key : segment;
  return shorten(String(key).replaceAll(/\s+/g, ' '), LONGEST_NAME);
}

const shorten = (text: string, longest: number): string =>
  text.length <= longest ? text : `${text.slice(0, longest - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
