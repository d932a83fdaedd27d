// Ends the processes of a scene when the harness ends, also when that is killed: it would otherwise leave servers and
// runs behind. Its standard input says which: `+PID` from now on, `-PID` no more; its end is the sign.
import { createInterface } from 'node:readline';

/** @type {Set<number>} */
const pids = new Set();

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => undefined);

createInterface({ input: process.stdin })
  .on('line', (line) => {
    const pid = Number(line.slice(1));
    if (line.startsWith('+')) pids.add(pid);
    else pids.delete(pid);
  })
  .on('close', () => {
    for (const pid of pids) endGroup(pid);
    process.exit();
  });

/** @param {number} pid of the first process of a group */
function endGroup(pid) {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ESRCH') throw error;
  }
}
