/**
 * One scene: what is played on a stage, and what is special about it.
 * @typedef {object} Scene
 * @property {string} name as --scene takes it
 * @property {string} title what happens, in words, for the table
 * @property {number} [weight] its share of the time, beside 1 for others
 * @property {boolean} [longOnly] left out of the short form
 * @property {{ jobs?: number, faults?: number }} [leastIfLong] the long form has failed with fewer; 1,000 jobs and 1 fault
 * @property {readonly import('../stage/programs.mjs').Family[]} [families] the servers it is played on; all
 * @property {readonly string[]} [serverOptions] for the server's start
 * @property {number} [diskMegabytes] the server stands on a disk of its own, no larger than this: `stage.disk`
 * @property {() => string | undefined} [lacks] what the machine lacks for it, in words: it fails in the long form then
 * @property {(stage: import('../stage/stage.mjs').Stage) => Promise<void>} run plays it to the end of all work
 */

export {};
