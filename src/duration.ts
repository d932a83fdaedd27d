import ms, { type StringValue } from 'ms';

/** A length of time in words, such as `'200ms'`, `'25s'`, `'10m'`, `'6h'` or `'14d'`; `'0'` is none. */
export type Duration = string;

const WORDS = /^\d+(\.\d+)? ?(ms|s|m|h|d|w)$/;

/** The duration in whole milliseconds, or undefined if the words are none. A bare number has no unit and is refused, except 0. */
export function parseDuration(words: Duration): number | undefined {
  const text = words.trim();
  if (text === '0') return 0;
  return WORDS.test(text) ? Math.round(ms(text as StringValue)) : undefined;
}
