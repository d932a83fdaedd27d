import { median, spread } from './samples.mjs';

/**
 * A number with three digits that matter, thousands set off.
 *
 * @param {number} value
 */
function sayNumber(value) {
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en-US');
  return String(Number(value.toPrecision(3)));
}

/**
 * The median of the rounds, and where they differ the least and the greatest.
 *
 * @param {readonly number[]} values
 */
export function sayFigures(values) {
  if (values.length === 0) return '';
  const middle = sayNumber(median(values));
  const [least, greatest] = spread(values).map(sayNumber);
  return values.length === 1 || least === greatest ? middle : `${middle} (${least}–${greatest})`;
}
