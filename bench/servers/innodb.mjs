import { createConnection } from 'mysql2/promise';
import { requireSettings } from './server.mjs';

const SHOWN = [
  'innodb_flush_log_at_trx_commit',
  'innodb_doublewrite',
  'innodb_flush_method',
  'innodb_buffer_pool_size',
  'innodb_log_file_size',
  'innodb_redo_log_capacity',
  'log_bin',
  'sync_binlog',
  'transaction_isolation',
  'tx_isolation',
];

/**
 * The version of a MariaDB or MySQL and the settings that bear on the figures.
 *
 * @param {string} url
 */
export async function readDurability(url) {
  const connection = await createConnection({ uri: url });
  try {
    const [rows] = await connection.query('SHOW GLOBAL VARIABLES');
    const all = Object.fromEntries(
      /** @type {{ Variable_name: string, Value: string }[]} */ (rows).map((row) => [row.Variable_name, row.Value]),
    );
    const settings = Object.fromEntries(SHOWN.flatMap((name) => (name in all ? [[name, String(all[name])]] : [])));
    requireSettings(url.replace(/\/\/.*@/, '//'), settings, {
      innodb_flush_log_at_trx_commit: '1',
      // A page that a crash tears in two is lost without it, and the commits in it.
      innodb_doublewrite: 'ON',
    });
    if (settings['log_bin'] === 'ON') requireSettings('the server', settings, { sync_binlog: '1' });
    return { version: String(all['version']), settings };
  } finally {
    await connection.end();
  }
}
