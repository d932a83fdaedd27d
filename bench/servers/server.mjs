/**
 * A server that was started for the bench, and what it says of itself. `stop` ends it and deletes its data.
 * @typedef {object} BenchServer
 * @property {string} name
 * @property {string} url of a user who may create databases
 * @property {string} version
 * @property {Record<string, string>} settings as read from the server: whatever bears on speed or durability
 * @property {() => Promise<void>} stop
 */

import { Refusal } from '../../scripts/say.mjs';

/**
 * No figure is worth anything if a commit is not on the disk.
 *
 * @param {string} server
 * @param {Record<string, string>} settings
 * @param {Record<string, string>} wanted
 */
export function requireSettings(server, settings, wanted) {
  for (const [name, value] of Object.entries(wanted)) {
    if (settings[name] === value) continue;
    throw new Refusal(
      `${server} has ${name} = ${settings[name]}, and must have ${value}: commits would not be durable`,
    );
  }
}
