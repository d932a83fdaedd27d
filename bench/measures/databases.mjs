import { randomBytes } from 'node:crypto';
import { createConnection } from 'mysql2/promise';
import { runRowlock } from './rowlock-process.mjs';

/**
 * A database of one measure, with Rowlock's tables.
 * @typedef {object} BenchDatabase
 * @property {string} url
 * @property {import('mysql2/promise').Connection} connection the bench's own, for rows and readings
 * @property {() => Promise<void>} drop
 */

/**
 * The servers that a measure of Rowlock's own goes through in this round: MariaDB; in the first round of a whole bench
 * also MySQL, where it is there. The targets are MariaDB's, and a second server in each round would double the time.
 *
 * @param {import('../samples.mjs').Context} context
 * @returns {{ server: string, url: string }[]}
 */
export function listServers({ urls, round, quick }) {
  const mysql = urls.mysql === undefined || round > 1 || quick ? [] : [{ server: 'mysql', url: urls.mysql }];
  return [{ server: 'mariadb', url: urls.mariadb }, ...mysql];
}

/**
 * Creates a database on the server and migrates it.
 *
 * @param {string} serverUrl of a user who may create databases
 * @returns {Promise<BenchDatabase>}
 */
export async function createDatabase(serverUrl) {
  const name = `rowlock_bench_${randomBytes(6).toString('hex')}`;
  const url = new URL(serverUrl);
  url.pathname = '';
  const connection = await createConnection({ uri: url.href, timezone: 'Z' });
  await connection.query(`CREATE DATABASE ${name} CHARACTER SET utf8mb4`);
  await connection.query(`USE ${name}`);
  url.pathname = `/${name}`;
  const drop = async () => {
    await connection.query(`DROP DATABASE IF EXISTS ${name}`);
    await connection.end();
  };
  try {
    await runRowlock(['migrate'], url.href, { mayPrint: true });
  } catch (error) {
    await drop();
    throw error;
  }
  return { url: url.href, connection, drop };
}

/**
 * Does the work on a new database, which is dropped after it, whatever happens.
 *
 * @template T
 * @param {string} serverUrl
 * @param {(database: BenchDatabase) => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withDatabase(serverUrl, work) {
  const database = await createDatabase(serverUrl);
  try {
    return await work(database);
  } finally {
    await database.drop();
  }
}
