import { createConnection } from 'mysql2/promise';
import { waitForPurge } from './server-readings.mjs';

/**
 * Brings a server to rest before its jobs are drained, so that no contender pays for what was written before its workers
 * started: MariaDB and MySQL purge what was deleted; PostgreSQL writes its pages, and knows how long its tables are. Redis
 * has nothing that waits.
 *
 * @param {string} url of the contender's own database
 */
export async function comeToRest(url) {
  const { protocol } = new URL(url);
  if (protocol === 'mysql:') await restInnoDB(url);
  if (protocol === 'postgres:') await restPostgres(url);
}

/** @param {string} url */
async function restInnoDB(url) {
  const connection = await createConnection({ uri: url });
  try {
    await waitForPurge(connection);
  } finally {
    await connection.end();
  }
}

/** @param {string} url */
async function restPostgres(url) {
  const { default: pg } = await import('pg');
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query('VACUUM ANALYZE');
    await client.query('CHECKPOINT');
  } finally {
    await client.end();
  }
}
