import pg from 'pg';

/**
 * Makes an empty database of the URL's name; an earlier one of it is dropped.
 *
 * @param {string} url
 */
export async function makeEmptyDatabase(url) {
  await dropDatabase(url);
  await onServer(url, 'CREATE DATABASE %');
}

/** @param {string} url */
export const dropDatabase = (url) => onServer(url, 'DROP DATABASE IF EXISTS % WITH (FORCE)');

/**
 * @param {string} url
 * @param {string} sql with a % for the database's name
 */
async function onServer(url, sql) {
  const server = new URL(url);
  const name = server.pathname.slice(1);
  server.pathname = '/postgres';
  const client = new pg.Client({ connectionString: server.href });
  await client.connect();
  try {
    await client.query(sql.replace('%', client.escapeIdentifier(name)));
  } finally {
    await client.end();
  }
}
