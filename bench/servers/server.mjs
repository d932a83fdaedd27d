/**
 * A server that was started for the bench, and what it says of itself. `stop` ends it and deletes its data.
 * @typedef {object} BenchServer
 * @property {string} name
 * @property {string} url of a user who may create databases
 * @property {string} version
 * @property {Record<string, string>} settings as read from the server: whatever bears on speed or durability
 * @property {() => Promise<void>} stop
 */

import { statfsSync } from 'node:fs';
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

/** File systems that keep their files in memory, by the number that the kernel has for them. */
const IN_MEMORY = [0x01021994, 0x858458f6];

/**
 * A flush to memory costs nothing.
 *
 * @param {string} folder of a server's data
 */
export function requireDisk(folder) {
  if (!IN_MEMORY.includes(statfsSync(folder).type)) return;
  throw new Refusal(`${folder} is in memory: commits would not be durable; put the project, or TMPDIR, on a disk`);
}
