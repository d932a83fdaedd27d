import { readdirSync, readFileSync } from 'node:fs';

const NANOSECONDS_PER_MS = 1_000_000;

/**
 * Milliseconds of CPU that a process's living threads have had so far, to the microsecond; `stat` counts in ticks of 10 ms.
 *
 * @param {number} pid
 */
export function readCpuMs(pid) {
  const threads = readdirSync(`/proc/${pid}/task`);
  const times = threads.map((thread) => Number(read(`/proc/${pid}/task/${thread}/schedstat`)?.split(' ')[0] ?? 0));
  return times.reduce((sum, time) => sum + time, 0) / NANOSECONDS_PER_MS;
}

/**
 * Memory of a process in MB: now, and at its peak.
 *
 * @param {number} pid
 * @returns {{ now: number, peak: number } | undefined} undefined: it has ended
 */
export function readMemory(pid) {
  const status = read(`/proc/${pid}/status`);
  /** @param {string} name */
  const megabytes = (name) => Number(new RegExp(`^${name}:\\s*(\\d+) kB`, 'm').exec(status ?? '')?.[1] ?? 0) / 1024;
  const peak = megabytes('VmHWM');
  return peak === 0 ? undefined : { now: megabytes('VmRSS'), peak };
}

/**
 * The process of a server, if it runs on this machine and may be seen.
 *
 * @param {import('mysql2/promise').Connection} connection
 * @returns {Promise<number | undefined>}
 */
export async function findServerPid(connection) {
  const [rows] = await connection.query('SELECT @@pid_file AS pidFile');
  const [{ pidFile = '' } = {}] = /** @type {{ pidFile: string }[]} */ (rows);
  const pid = Number(read(pidFile));
  // Another process may have this number in the namespace of a container.
  return /^(mariadbd|mysqld)\s/.test(read(`/proc/${pid}/comm`) ?? '') ? pid : undefined;
}

/**
 * @param {string} file
 * @returns {string | undefined} undefined: what it tells of is gone, or not ours to see
 */
function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code = /** @type {NodeJS.ErrnoException} */ (error).code ?? '';
    if (['ENOENT', 'ESRCH', 'EACCES'].includes(code)) return undefined;
    throw error;
  }
}
