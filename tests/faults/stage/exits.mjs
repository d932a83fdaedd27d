import { readFileSync } from 'node:fs';
import { steadyNow } from './clock.mjs';

/** Done; the server could not be reached; the lease was lost: what the faults of a network or a clock may lead to. */
const CODES = new Set([0, 69, 75]);

/** Lines of a stack: at run (/srv/app/dist/cli.js:1:2). */
const STACK = /^ +at .+:\d+:\d+\)?$/m;

/**
 * Runs that did not end as a run ends: by a code that nothing explains, not at all, or with a stack in what they print.
 *
 * @param {readonly import('./fleet.mjs').RunProcess[]} all
 * @param {{ longestMs: number, killed?: ReadonlySet<number> }} options longestMs: from their start to their end; killed: by the scene
 * @returns {import('../check/check.mjs').Finding[]}
 */
export function findOddEnds(all, { longestMs, killed = new Set() }) {
  return all.flatMap(({ number, startedAt, endedAt, code, signal, log }) => {
    const lasted = (endedAt ?? steadyNow()) - startedAt;
    /** @type {string[]} */
    const odd = [];
    if (lasted > longestMs)
      odd.push(`it lasted ${(lasted / 1000).toFixed(1)} s, and ${longestMs / 1000} s at most were expected`);
    if (endedAt !== undefined && code !== null && !CODES.has(code ?? 0)) odd.push(`it ended with code ${code}`);
    // One that has hardly begun when the fleet is stopped does not listen for SIGTERM yet.
    if (typeof signal === 'string' && signal !== 'SIGTERM' && !killed.has(number))
      odd.push(`it was ended by ${signal}`);
    if (STACK.test(readFileSync(log, 'utf8'))) odd.push('it printed a stack');
    return odd.map((text) => ({ check: 'runs end as they should', id: `process ${number}`, text }));
  });
}
