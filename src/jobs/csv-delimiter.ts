/** One character between fields; none that could not be told from a quote, the end of a line, or half of a character. */
export const DELIMITER = /^[\t\x20-\x21\x23-\x7e]$/;

/** Of what is none. */
export const NO_DELIMITER = 'is not one character such as , or ; or a tab';
