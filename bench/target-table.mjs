import { byRound, median } from './samples.mjs';
import { sayFigures } from './say-figures.mjs';
import { TARGETS } from './targets.mjs';

/** @typedef {import('./targets.mjs').Bound} Bound */

/**
 * Must, aim and what was reached, a line for each figure.
 *
 * @param {readonly import('./samples.mjs').RoundSample[]} samples
 * @param {readonly import('./targets.mjs').Peer[]} peers that take part
 */
export function layOutTargets(samples, peers) {
  const rows = TARGETS.flatMap(({ name, bounds, compute }) =>
    bounds.map((bound, index) => {
      const values = byRound(samples, (ofRound) => compute(ofRound, peers)[index]);
      const verdict = judge(bound, values);
      const what = bound.of === undefined ? name : `${name}, ${bound.of}`;
      const limit = verdict === 'missed' ? (bound.limitedBy ?? '') : '';
      return `| ${what} | ${say(bound, bound.must)} | ${say(bound, bound.aim)} | ${sayFigures(values)} | ${verdict} | ${limit} |`;
    }),
  );
  return ['| measure | must | aim | reached | | limited by |', '|---|---|---|---|---|---|', ...rows].join('\n');
}

/** @param {Bound} bound @param {number} value */
const say = ({ sense, unit }, value) =>
  `${sense === 'at least' ? '≥' : '≤'} ${value}${unit === undefined ? '' : ` ${unit}`}`;

/**
 * @param {Bound} bound
 * @param {readonly number[]} values
 */
function judge({ sense, must, aim }, values) {
  if (values.length === 0) return 'not measured';
  const value = median(values);
  /** @param {number} bound */
  const holds = (bound) => (sense === 'at least' ? value >= bound : value <= bound);
  if (!holds(must)) return 'missed';
  return holds(aim) ? 'aim' : 'ok';
}
