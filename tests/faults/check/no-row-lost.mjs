import { groupBy } from './readings.mjs';

/** @type {import('./check.mjs').Check} */
export const noRowLost = {
  name: 'no row lost',
  says: 'what was committed is there, once; what was rolled back, or deleted, is not',
  find({ jobs, ledger }) {
    const rowsOf = groupBy(
      jobs.filter(({ token }) => token !== null),
      ({ token }) => token,
    );
    const wrong = [...ledger.values()].flatMap(({ token, type, fate }) => {
      const rows = rowsOf.get(token)?.length ?? 0;
      const id = `token ${token}`;
      if (fate === 'committed' && rows === 0) return [{ id, text: `${type}: committed, and not there` }];
      if (fate !== 'committed' && fate !== 'unknown' && rows > 0) return [{ id, text: `${type}: ${fate}, and there` }];
      return rows > 1 ? [{ id, text: `${type}: there ${rows} times` }] : [];
    });
    const strange = [...rowsOf.keys()].filter((token) => token !== null && !ledger.has(token));
    return [...wrong, ...strange.map((token) => ({ id: `token ${token}`, text: 'there, and inserted by nobody' }))];
  },
};
