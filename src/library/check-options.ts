const PLACE = '{ on: connection }';

/**
 * The options of a call, as whoever writes JavaScript may have misspelt them: what is left unsaid would be done
 * outside of the caller's transaction.
 *
 * @throws TypeError
 */
export function requireCallOptions(given: unknown): void {
  if (given === undefined) return;
  if (isClient(given)) throw new TypeError(`a connection was given in place of the options; give ${PLACE}`);
  requireKeys(given, ['on'], `the options of a call take ${PLACE}`);
  if (Object.hasOwn(given, 'on') && (given as { on?: unknown }).on === undefined) {
    throw new TypeError(`{ on: undefined } names no connection; give ${PLACE}, or no options`);
  }
}

/** @throws TypeError for a key that is none of these, and for what is no object */
export function requireKeys(given: unknown, known: readonly string[], mend: string): asserts given is object {
  if (typeof given !== 'object' || given === null) throw new TypeError(`${mend}; this is no object`);
  const unknown = Object.keys(given).find((key) => !known.includes(key));
  if (unknown !== undefined) throw new TypeError(`there is no option "${unknown.slice(0, 100)}"; ${mend}`);
}

/** @throws TypeError */
export function requireText(what: string, given: unknown): void {
  if (given !== undefined && typeof given !== 'string') throw new TypeError(`the ${what} is no text`);
}

const isClient = (given: unknown): boolean =>
  (typeof given === 'object' || typeof given === 'function') && given !== null && 'query' in given;
