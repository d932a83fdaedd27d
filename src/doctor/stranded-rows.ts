import { select } from '../db/statements';
import type { JobId } from '../queue/job';
import { NO_RUN_MS } from '../verdict';
import { type Check, ok, warning } from './finding';

const NAMED = 10;

/** Each run begins by putting back what dead runs held. What is there for minutes, nobody puts back. */
export const strandedRows: Check = {
  name: 'stranded-rows',
  async run({ pool }) {
    const rows = await select<{ id: JobId }>(pool, 'find_stranded_jobs', {
      seconds: NO_RUN_MS / 1000,
      limit: NAMED + 1,
    });
    if (rows.length === 0) return ok('none');
    const ids = rows.slice(0, NAMED).map(({ id }) => String(id));
    return warning(
      `running, but their run has ended or is silent: ${ids.join(', ')}${rows.length > NAMED ? ' …' : ''}`,
      'the next run puts them back: rowlock run; if they stay, a transaction holds them (see open-transactions)',
    );
  },
};
