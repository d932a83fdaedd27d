import { spawnSync } from 'node:child_process';
import { createConnection } from 'mysql2/promise';

/**
 * Sends SQL to a database as another app would: by the plain client where there is one that gets on with
 * the server, else by a driver.
 *
 * @param {URL} url
 * @param {string} sql
 * @returns {Promise<string>} the name of the client
 */
export async function sendSql(url, sql) {
  const client = ['mariadb', 'mysql'].find((name) => callClient(name, url, 'SELECT 1').status === 0);
  if (client === undefined) {
    const connection = await createConnection({ uri: url.href, multipleStatements: true });
    await connection.query(sql);
    await connection.end();
    return 'mysql2';
  }
  const { status, stderr } = callClient(client, url, sql);
  if (status !== 0) throw new Error(`${client}: ${stderr}`);
  return client;
}

/**
 * @param {string} client
 * @param {URL} url
 * @param {string} sql
 */
function callClient(client, url, sql) {
  const options = ['--no-defaults', '--protocol=tcp', `--host=${url.hostname}`, `--port=${url.port || 3306}`];
  const account = [`--user=${decodeURIComponent(url.username)}`, '--default-character-set=utf8mb4'];
  return spawnSync(client, [...options, ...account, url.pathname.slice(1)], {
    input: sql,
    env: { ...process.env, MYSQL_PWD: decodeURIComponent(url.password) },
    encoding: 'utf8',
  });
}
