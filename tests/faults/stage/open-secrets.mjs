import { readFileSync } from 'node:fs';

/**
 * What every user of this machine may see of these processes: their command lines.
 *
 * @param {readonly number[]} pids
 */
export function listProcesses(pids) {
  return pids.flatMap((pid) => {
    try {
      return [{ pid, text: readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ') }];
    } catch (error) {
      if (['ENOENT', 'ESRCH'].includes(/** @type {NodeJS.ErrnoException} */ (error).code ?? '')) return []; // it has ended
      throw error;
    }
  });
}

/**
 * @param {string} text
 * @param {readonly string[]} secrets
 */
export const findSecretIn = (text, secrets) => secrets.find((secret) => text.includes(secret));
