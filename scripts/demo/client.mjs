import { spawnSync } from 'node:child_process';
import { createConnection } from 'mysql2/promise';

/**
 * Sends SQL to the database as another app would: by the plain client where there is one.
 *
 * @param {URL} url
 * @param {string} sql
 * @returns {Promise<string>} the name of the client
 */
export async function sendSql(url, sql) {
  for (const client of ['mariadb', 'mysql']) {
    if (sendByClient(client, url, sql)) return client;
  }
  const connection = await createConnection({ uri: url.href, multipleStatements: true });
  await connection.query(sql);
  await connection.end();
  return 'mysql2';
}

/**
 * @param {string} client
 * @param {URL} url
 * @param {string} sql
 */
function sendByClient(client, url, sql) {
  const options = ['--no-defaults', '--protocol=tcp', `--host=${url.hostname}`, `--port=${url.port || 3306}`];
  const account = [`--user=${decodeURIComponent(url.username)}`, '--default-character-set=utf8mb4'];
  // All or nothing: where a client cannot speak to this server, the driver sends the same.
  const input = `START TRANSACTION;\n${sql}\nCOMMIT;\n`;
  const { status } = spawnSync(client, [...options, ...account, url.pathname.slice(1)], {
    input,
    env: { ...process.env, MYSQL_PWD: decodeURIComponent(url.password) },
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  return status === 0;
}
