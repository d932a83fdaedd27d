import { createConnection } from 'mysql2/promise';

/**
 * Makes an empty database of the URL's name; an earlier one of it is dropped.
 *
 * @param {string} url
 */
export async function makeEmptyDatabase(url) {
  await onServer(url, async (connection, name) => {
    await connection.query('DROP DATABASE IF EXISTS ??', [name]);
    await connection.query('CREATE DATABASE ?? CHARACTER SET utf8mb4', [name]);
  });
}

/** @param {string} url */
export const dropDatabase = (url) =>
  onServer(url, async (connection, name) => {
    await connection.query('DROP DATABASE IF EXISTS ??', [name]);
  });

/**
 * @param {string} url
 * @param {(connection: import('mysql2/promise').Connection, name: string) => Promise<void>} work
 */
async function onServer(url, work) {
  const server = new URL(url);
  const name = server.pathname.slice(1);
  server.pathname = '/';
  const connection = await createConnection({ uri: server.href });
  try {
    await work(connection, name);
  } finally {
    await connection.end();
  }
}
