import { readFileSync } from 'node:fs';
import type { Workshop } from './workshop';

/** True while the process runs or is stopped; one that has ended and that nobody has waited for yet does not count. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return process.platform !== 'linux';
  }
}

/** As if every open run had gone silent a minute ago. */
export const expireLeases = (shop: Workshop) =>
  shop.db.pool.query(
    'UPDATE background_job_runs SET lease_expires_at = NOW(3) - INTERVAL 1 MINUTE WHERE finished_at IS NULL',
  );

/** As if every pause before a next attempt were over. */
export const endPauses = (shop: Workshop) =>
  shop.db.pool.query(`UPDATE background_jobs SET run_at = NOW(3) WHERE status = 'pending' AND run_at > NOW(3)`);

/** The run that started last, or with this pid. */
export async function readRun(shop: Workshop, pid?: number): Promise<Record<string, unknown>> {
  const [run] = await shop.rows(
    'SELECT * FROM background_job_runs WHERE ? IS NULL OR pid = ? ORDER BY started_at DESC LIMIT 1',
    [pid ?? null, pid ?? null],
  );
  return run ?? {};
}

/** How many jobs fulfil this condition. */
export async function countJobs(shop: Workshop, where: string): Promise<number> {
  const [row] = await shop.rows(`SELECT COUNT(*) AS n FROM background_jobs WHERE ${where}`);
  return Number(row?.['n']);
}

/** Jobs that began in one process while another, which was not ended before, had begun them and not ended them. */
export function findOverlaps(notes: readonly string[]): string[] {
  const holders = new Map<string, string>();
  const dead = new Set<string>();
  const overlaps: string[] = [];
  for (const note of notes) {
    const [, id = '', what = '', pid = ''] = /^(\S+) (began|ended|was killed)(?: in (\d+))?$/.exec(note) ?? [];
    const holder = holders.get(id);
    if (what === 'was killed') dead.add(id);
    else if (what === 'ended') holders.delete(id);
    else if (holder !== undefined && !dead.has(holder)) overlaps.push(`job ${id}: in ${holder} and ${pid}`);
    if (what === 'began') holders.set(id, pid);
  }
  return overlaps;
}
