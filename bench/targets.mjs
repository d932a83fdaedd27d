import { pick } from './samples.mjs';

/**
 * What is to be reached. `compute` gives the figure of one round, from that round's samples; undefined: they are not there.
 * @typedef {object} Target
 * @property {string} name
 * @property {string} must
 * @property {string} aim
 * @property {'at least' | 'at most'} sense
 * @property {number[]} mustBe one for each figure that `compute` gives
 * @property {number[]} aimIs
 * @property {string} unit
 * @property {(samples: readonly import('./samples.mjs').Sample[]) => number[] | undefined} compute
 * @property {string} [limitedBy] of a target that is missed: what was tried, and what limits it now
 */

/** @type {readonly Target[]} */
export const TARGETS = [];
void pick;
