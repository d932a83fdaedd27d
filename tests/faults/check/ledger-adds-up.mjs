import { groupBy } from './readings.mjs';

/** @type {import('./check.mjs').Check} */
export const ledgerAddsUp = {
  name: 'the run ledger adds up',
  says: 'claimed is the sum of the outcomes, but for what a dead run has left behind; completed and failed are those of the rows',
  find({ runs, jobs, errors, expect, ledger }) {
    const wasMeddled = expect.touched.size > 0 || [...ledger.values()].some(({ fate }) => fate === 'deleted');
    const rowsOf = groupBy(jobs, ({ runId }) => runId);
    const historyOf = groupBy(errors, ({ runId }) => runId);
    return runs.flatMap((run) => {
      const { id, outcome, claimed, completed, retried, failed, released } = run;
      const left = claimed - completed - retried - failed - released;
      const say = `${outcome ?? 'open'}: ${claimed} claimed, ${completed} completed, ${retried} retried, ${failed} failed, ${released} released`;
      if (outcome === null) return [{ id: `run ${id}`, text: `never closed; ${say}` }];
      if (left < 0) return [{ id: `run ${id}`, text: say }];
      if (wasMeddled) return [];
      if (left > 0 && (outcome === 'finished' || outcome === 'stopped' || outcome === 'skipped'))
        return [{ id: `run ${id}`, text: say }];
      const rows = rowsOf.get(id) ?? [];
      const completedRows = rows.filter(({ status }) => status === 'completed').length;
      if (completedRows !== completed) return [{ id: `run ${id}`, text: `${say}; ${completedRows} completed rows` }];
      const history = historyOf.get(id)?.length ?? 0;
      if (history !== retried + failed) return [{ id: `run ${id}`, text: `${say}; ${history} rows in the history` }];
      return [];
    });
  },
};
