/**
 * One figure of one round.
 * @typedef {object} Sample
 * @property {string} measure
 * @property {string} contender
 * @property {string} server
 * @property {string} variant
 * @property {number} value
 * @property {string} unit
 */

/** @typedef {Sample & { round: number }} RoundSample */

/**
 * @typedef {object} Context
 * @property {Urls} urls
 * @property {boolean} quick one round with small counts: shows that all runs, and no more
 * @property {number} round from 1
 * @property {readonly string[]} contenders those wanted; empty: all
 * @property {(text: string) => void} log
 * @property {(text: string) => void} fault something that did not come to its end, while the rest goes on
 */

/** @typedef {{ mariadb: string, mysql?: string, postgres: string, redisEverysec: string, redisAlways: string }} Urls */

/**
 * @typedef {object} Measure
 * @property {string} name
 * @property {(context: Context) => Promise<void>} [prepare] once, before it runs first
 * @property {(context: Context) => Promise<Sample[]>} run once in each round
 * @property {(context: Context) => Promise<void>} [close] once, after the rounds
 */

/** @param {readonly number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[middle] ?? Number.NaN;
  return ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}

/**
 * The least and the greatest.
 *
 * @param {readonly number[]} values
 * @returns {[number, number]}
 */
export const spread = (values) => [Math.min(...values), Math.max(...values)];

/**
 * One figure for each round in which it can be computed, from samples of that round alone: the machine may be
 * another one a minute later.
 *
 * @param {readonly RoundSample[]} samples
 * @param {(ofRound: readonly RoundSample[]) => number | undefined} compute
 * @returns {number[]}
 */
export function byRound(samples, compute) {
  const rounds = [...new Set(samples.map(({ round }) => round))].sort((a, b) => a - b);
  return rounds.flatMap((round) => compute(samples.filter((sample) => sample.round === round)) ?? []);
}

/**
 * The figure of a round's one sample that has these properties.
 *
 * @param {readonly Sample[]} samples
 * @param {Partial<Sample>} wanted
 * @returns {number | undefined}
 */
export function pick(samples, wanted) {
  return samples.find((sample) =>
    Object.entries(wanted).every(([name, value]) => sample[/** @type {keyof Sample} */ (name)] === value),
  )?.value;
}
