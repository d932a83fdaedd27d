import { existsSync, readFileSync } from 'node:fs';

/**
 * An event as a run logs it, with its facts.
 * @typedef {{ event: string, [fact: string]: any }} LoggedEvent
 */

/**
 * The events of a log. Job functions print into it too: what is no event is passed over.
 *
 * @param {string} file
 * @returns {LoggedEvent[]} in the order in which they were written
 */
export function readEvents(file) {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8').split('\n').flatMap(parseEvent);
}

/**
 * @param {string} line
 * @returns {LoggedEvent[]}
 */
function parseEvent(line) {
  if (!line.startsWith('{"time":')) return [];
  try {
    return [JSON.parse(line)];
  } catch {
    // Cut off by the end of its process, or torn by what a function has printed.
    return [];
  }
}
