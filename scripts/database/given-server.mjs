import { Refusal } from '../say.mjs';

const NAME = 'ROWLOCK_TEST_DATABASE_URL';

/**
 * A server that the user runs: used only if the schema that the URL names is empty, and left running.
 *
 * @param {string} url
 * @returns {Promise<import('./find-server.mjs').Server>}
 */
export async function checkGivenServer(url) {
  const parsed = URL.parse(url);
  const schema = decodeURIComponent(parsed?.pathname.slice(1) ?? '');
  if (parsed?.protocol !== 'mysql:' || schema === '') {
    throw new Refusal(`${NAME} is not of the form mysql://user:password@host:3306/empty_schema`);
  }
  const tables = await countTables(url, schema);
  if (tables > 0) {
    throw new Refusal(
      `${NAME} names the schema ${schema}, which has ${tables} tables; name an empty one, made for tests`,
    );
  }
  return { url, stop: () => Promise.resolve() };
}

/**
 * @param {string} url
 * @param {string} schema
 */
async function countTables(url, schema) {
  const { createConnection } = await loadDriver();
  try {
    const connection = await createConnection({ uri: url, connectTimeout: 10_000 });
    const [rows] = await connection.query(
      'SELECT COUNT(*) AS tables FROM information_schema.tables WHERE table_schema = ?',
      [schema],
    );
    await connection.end();
    return Number(/** @type {{ tables: number }[]} */ (rows)[0]?.tables);
  } catch (error) {
    const { message, code } = /** @type {NodeJS.ErrnoException} */ (error);
    throw new Refusal(`${NAME} cannot be used: ${message || code}`);
  }
}

async function loadDriver() {
  try {
    return await import('mysql2/promise');
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new Refusal(`${NAME} is set: run npm ci first, its driver is needed to look at the schema`);
  }
}
