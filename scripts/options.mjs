import { parseArgs } from 'node:util';
import { Refusal } from './say.mjs';

/**
 * The options that a script was called with.
 *
 * @template {NonNullable<import('node:util').ParseArgsConfig['options']>} Options
 * @param {Options} options
 * @throws {Refusal} if one is given that is not among them
 */
export function readOptions(options) {
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    const { code = '', message } = /** @type {NodeJS.ErrnoException} */ (error);
    if (!code.startsWith('ERR_PARSE_ARGS_')) throw error;
    const names = Object.keys(options).map((name) => `--${name}`);
    throw new Refusal(`${message.split('. ')[0]}; there are ${names.join(', ')}`);
  }
}

/**
 * @param {string} what they are, in one word
 * @param {readonly string[]} given
 * @param {readonly string[]} known
 * @throws {Refusal} if one of them is not known
 */
export function requireKnown(what, given, known) {
  for (const name of given) {
    if (!known.includes(name)) throw new Refusal(`there is no ${what} ${name}; there are ${known.join(', ')}`);
  }
}
