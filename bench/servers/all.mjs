import { startMariaDB } from './mariadb.mjs';
import { startMySQL } from './mysql.mjs';
import { startPostgres } from './postgres.mjs';
import { startRedis } from './redis.mjs';

/**
 * Starts every server of the bench.
 *
 * @returns {Promise<{ all: import('./server.mjs').BenchServer[], urls: import('../samples.mjs').Urls, stop(): Promise<void> }>}
 */
export async function startServers() {
  /** @type {import('./server.mjs').BenchServer[]} */
  const all = [];
  const stop = async () => {
    await Promise.all(all.map((server) => server.stop()));
  };
  /** @param {import('./server.mjs').BenchServer} server */
  const keep = (server) => {
    all.push(server);
    return server.url;
  };
  try {
    const mariadb = keep(await startMariaDB());
    const postgres = keep(await startPostgres());
    const redisEverysec = keep(await startRedis('everysec'));
    const redisAlways = keep(await startRedis('always'));
    const found = await startMySQL();
    const mysql = found === undefined ? {} : { mysql: keep(found) };
    return { all, urls: { mariadb, postgres, redisEverysec, redisAlways, ...mysql }, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
