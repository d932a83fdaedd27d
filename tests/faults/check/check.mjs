/**
 * Something that is not as it must be.
 * @typedef {{ check: string, id: number | string, text: string }} Finding
 */

/**
 * An invariant: its name, what it says, and how it is found out from what was read.
 * @typedef {object} Check
 * @property {string} name
 * @property {string} says
 * @property {(readings: import('./readings.mjs').Readings) => { id: number | string, text: string }[]} find
 */

import { allEnd } from './all-end.mjs';
import { attemptsTellHistory } from './attempts-tell-history.mjs';
import { crashesTellHistory } from './crashes-tell-history.mjs';
import { eachExecutionExplained } from './each-execution-explained.mjs';
import { effectsOnce } from './effects-once.mjs';
import { endedStaysEnded } from './ended-stays-ended.mjs';
import { ledgerAddsUp } from './ledger-adds-up.mjs';
import { noRowLost } from './no-row-lost.mjs';
import { notEarly } from './not-early.mjs';
import { nothingLeaks } from './nothing-leaks.mjs';
import { oneHolder } from './one-holder.mjs';
import { ownResult } from './own-result.mjs';
import { ranAsOftenAsSaid } from './ran-as-often-as-said.mjs';
import { runsEndInOrder } from './runs-end-in-order.mjs';

/** @type {readonly Check[]} */
export const CHECKS = [
  noRowLost,
  allEnd,
  endedStaysEnded,
  oneHolder,
  ranAsOftenAsSaid,
  eachExecutionExplained,
  notEarly,
  effectsOnce,
  ownResult,
  attemptsTellHistory,
  crashesTellHistory,
  ledgerAddsUp,
  runsEndInOrder,
  nothingLeaks,
];

/**
 * Holds all invariants against what was read.
 *
 * @param {import('./readings.mjs').Readings} readings
 * @returns {Finding[]}
 */
export const checkAll = (readings) =>
  CHECKS.flatMap(({ name, find }) => find(readings).map((finding) => ({ check: name, ...finding })));
