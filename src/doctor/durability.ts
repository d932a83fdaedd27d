import { type Check, ok, warning } from './finding';

/** A completion that the server loses after it has confirmed it runs the job a second time. */
export const durability: Check = {
  name: 'durability',
  async run({ variables }) {
    const { global } = await variables();
    const weak = [
      ...((global('innodb_flush_log_at_trx_commit') ?? '1') === '1' ? [] : ['innodb_flush_log_at_trx_commit']),
      // What the binary log has lost, InnoDB rolls back when the server starts again.
      ...(global('log_bin') !== 'ON' || global('sync_binlog') === '1' ? [] : ['sync_binlog']),
    ];
    if (weak.length === 0) return ok('each COMMIT is on disk');
    return warning(
      `${weak.map((name) => `${name} is ${global(name)}`).join(', ')}: a crash of the server loses what it confirmed last, and jobs that were completed run again`,
      `set ${weak.map((name) => `${name} = 1`).join(' and ')}`,
    );
  },
};
