import { select } from '../db/statements';
import type { JobId } from '../queue/job';
import { type Check, ok, warning } from './finding';

const NAMED = 10;

/** A running row with no run_id is an older script's: no run touches it. */
export const unheldRows: Check = {
  name: 'unheld-rows',
  async run({ pool, health }) {
    const { heldByNoRun } = await health();
    if (heldByNoRun === 0) return ok('none');
    const rows = await select<{ id: JobId }>(pool, 'find_unheld_jobs', { limit: NAMED });
    const ids = rows.map(({ id }) => String(id));
    return warning(
      `${heldByNoRun} running ${heldByNoRun === 1 ? 'row is' : 'rows are'} held by no run but by an older script: ${ids.join(', ')}${heldByNoRun > ids.length ? ' …' : ''}`,
      `once that script has ended for good: rowlock retry ${ids.join(' ')}`,
    );
  },
};
