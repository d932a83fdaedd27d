import { groupBy } from './readings.mjs';

/** @type {import('./check.mjs').Check} */
export const ledgerAddsUp = {
  name: 'the run ledger adds up',
  says: 'claimed is the sum of the outcomes, but for what a dead run has left behind; completed and failed are those of the rows',
  find(readings) {
    const { runs, jobs, errors, ledger, expect } = readings;
    const completedOf = groupBy(
      [
        ...jobs.filter(({ id, status }) => status === 'completed' && !expect.touched.has(id)),
        ...[...ledger.values()]
          .filter(({ token, fate }) => fate === 'deleted' && !expect.touchedTokens.has(token))
          .map(({ completedBy = null }) => ({ runId: completedBy })),
      ],
      ({ runId }) => runId,
    );
    const historyOf = groupBy(errors, ({ runId }) => runId);
    const slackOf = countTaken(readings);
    return runs.flatMap((run) => {
      const { id, outcome, claimed, completed, retried, failed, released } = run;
      const left = claimed - completed - retried - failed - released;
      // How many of its claims may be missing anywhere: 0, unless somebody has meddled with what it held.
      const slack = slackOf.get(id)?.size ?? 0;
      const say = `${outcome ?? 'open'}: ${claimed} claimed, ${completed} completed, ${retried} retried, ${failed} failed, ${released} released${slack > 0 ? `, ${slack} meddled with` : ''}`;
      if (outcome === null) return [{ id: `run ${id}`, text: `never closed; ${say}` }];
      if (left < 0) return [{ id: `run ${id}`, text: say }];
      if (left > slack && (outcome === 'finished' || outcome === 'stopped' || outcome === 'skipped'))
        return [{ id: `run ${id}`, text: say }];
      const rows = completedOf.get(id)?.length ?? 0;
      if (rows > completed || rows < completed - slack)
        return [{ id: `run ${id}`, text: `${say}; ${rows} completed rows` }];
      const history = historyOf.get(id)?.length ?? 0;
      if (Math.abs(history - retried - failed) > slack)
        return [{ id: `run ${id}`, text: `${say}; ${history} rows in the history` }];
      return [];
    });
  },
};

/**
 * The claims of each run whose rows somebody has meddled with: it executed them, or held them when they were taken.
 *
 * @param {import('./readings.mjs').Readings} readings
 * @returns {Map<number, Set<string>>} by run
 */
function countTaken({ executions, former, expect }) {
  /** @type {Map<number, Set<string>>} */
  const claims = new Map();
  /** @type {Set<string>} */
  const executed = new Set();
  /**
   * @param {number} runId
   * @param {string} claim
   */
  const add = (runId, claim) => claims.set(runId, (claims.get(runId) ?? new Set()).add(claim));
  for (const { token, attempt, runId } of [...executions, ...former]) {
    if (token === undefined || runId === undefined || !expect.touchedTokens.has(token)) continue;
    add(runId, `${token} ${attempt}`);
    executed.add(`${runId} ${token}`);
  }
  // Not even begun, or gone with all others: TRUNCATE.
  for (const { token, runId } of expect.taken) if (!executed.has(`${runId} ${token}`)) add(runId, `${token}`);
  return claims;
}
