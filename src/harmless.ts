/**
 * What commands a terminal (escape sequences begin with one of them), breaks a line in some reader's eyes, or turns
 * around how what stands beside it looks. A row, an error or an argument holds whatever somebody has put there.
 */
const UNSAFE = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

/** Without such characters; lines stay lines. */
export const harmless = (text: string): string => harmlessLines(text.replaceAll('\t', '  '));

/** The same with tabs as they are. */
export const harmlessLines = (text: string): string =>
  text.replaceAll(UNSAFE, (found) => (found === '\n' || found === '\t' ? found : '\uFFFD'));

/** JSON text that says the same, with such characters escaped: JSON itself wants that of some of them only. */
export const harmlessJson = (json: string): string =>
  json.replaceAll(UNSAFE, (found) => ('\n\r\t'.includes(found) ? found : escaped(found)));

/** A text in which each such character is written out, so that two texts never look the same. */
export const withEscapes = (text: string): string =>
  text.replaceAll(UNSAFE, (found) => (found < ' ' ? JSON.stringify(found).slice(1, -1) : escaped(found)));

const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
