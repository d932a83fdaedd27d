import Table from 'cli-table3';

/**
 * The result of all scenes, as it is printed.
 *
 * @param {readonly import('./play.mjs').Played[]} all
 */
export function toTable(all) {
  const table = new Table({
    head: [
      'scene',
      'server',
      'seed',
      'faults',
      'jobs',
      'lost',
      'doubled effects',
      'longest recovery',
      'seconds',
      'verdict',
    ],
    style: { head: [], border: [] },
  });
  for (const { scene, server, seed, faults, jobs, lost, doubled, recoveryMs, seconds, wrong } of all) {
    const recovery = recoveryMs === undefined ? '-' : `${(recoveryMs / 1000).toFixed(1)} s`;
    table.push([
      scene,
      server,
      seed,
      faults,
      jobs ?? '?',
      lost ?? '?',
      doubled ?? '?',
      recovery,
      seconds.toFixed(0),
      wrong.length === 0 ? 'held' : 'FAILED',
    ]);
  }
  return table.toString();
}
