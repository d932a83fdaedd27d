import { existsSync, readFileSync } from 'node:fs';

/**
 * What a job function said of itself.
 * @typedef {object} JournalLine
 * @property {'load' | 'begin' | 'end' | 'abort'} what load: the module was loaded by a process; it has no job
 * @property {number} job
 * @property {number} [token] that of the row's payload
 * @property {string} type
 * @property {number} attempt
 * @property {number} process the number of the run's process in the fleet
 * @property {number} pid another than the run's: a suspect's own process
 * @property {number} [parent] of `load`: the process that has started it
 * @property {number} at on the steady clock
 */

/**
 * One execution of a job function. What it lacks of `endedAt` and `abortedAt` has not happened before its process ended.
 * @typedef {object} Execution
 * @property {number} job
 * @property {number | undefined} token that of the row's payload; undefined: it has none
 * @property {string} type
 * @property {number} attempt
 * @property {number} process
 * @property {number} pid
 * @property {number} beganAt
 * @property {number | undefined} endedAt
 * @property {number | undefined} abortedAt
 */

/**
 * @param {string} file
 * @returns {JournalLine[]} in the order in which they were written
 */
export function readJournal(file) {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line));
}

/**
 * @param {readonly JournalLine[]} lines
 * @returns {Execution[]} by their beginning
 */
export function toExecutions(lines) {
  /** @type {Execution[]} */
  const all = [];
  /** @type {Map<string, Execution>} the newest of this attempt in this process */
  const open = new Map();
  for (const { what, job, token, type, attempt, process, pid, at } of lines) {
    if (what === 'load') continue;
    const key = `${pid} ${job} ${attempt} ${token}`;
    const known = open.get(key);
    if (what === 'begin') {
      const begun = { job, token, type, attempt, process, pid, beganAt: at, endedAt: undefined, abortedAt: undefined };
      open.set(key, begun);
      all.push(begun);
    } else if (known !== undefined && what === 'end') known.endedAt ??= at;
    else if (known !== undefined) known.abortedAt ??= at;
  }
  return all;
}
