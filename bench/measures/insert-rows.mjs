const THOUSAND = 1_000;

/** Rows of one statement; each is a transaction, so that the server's log need not hold millions of rows. */
const CHUNK = 100_000;

/**
 * Inserts rows into background_jobs, made inside the server: a million take about ten seconds.
 *
 * @param {import('mysql2/promise').Connection} connection
 * @param {number} count
 * @param {Record<string, string>} [columns] SQL for each column beside job_type and payload; `n` is the row's number in its statement
 */
export async function insertRows(connection, count, columns = {}) {
  await makeThousand(connection);
  const all = { job_type: "'bench.noop'", payload: `CONCAT('{"n": ', n, '}')`, ...columns };
  const insert = `INSERT INTO background_jobs (${Object.keys(all).join(', ')}) SELECT ${Object.values(all).join(', ')}`;
  for (let done = 0; done < count; done += CHUNK) {
    const rows = Math.min(CHUNK, count - done);
    await connection.query(
      `${insert} FROM (SELECT a.n * ${THOUSAND} + b.n AS n FROM thousand AS a STRAIGHT_JOIN thousand AS b
                       WHERE a.n < ?) AS numbers WHERE n < ?`,
      [Math.ceil(rows / THOUSAND), rows],
    );
  }
}

/** What a job that was done a while ago has in its columns. */
export const COMPLETED = {
  status: "'completed'",
  run_id: '1',
  attempts: '1',
  created_at: 'NOW(3) - INTERVAL 1 HOUR',
  run_at: 'NOW(3) - INTERVAL 1 HOUR',
  started_at: 'NOW(3) - INTERVAL 1 HOUR',
  processed_at: 'NOW(3) - INTERVAL 1 HOUR',
};

/** @param {import('mysql2/promise').Connection} connection */
async function makeThousand(connection) {
  const [tables] = await connection.query("SHOW TABLES LIKE 'thousand'");
  if (/** @type {unknown[]} */ (tables).length > 0) return;
  await connection.query('CREATE TABLE thousand (n INT NOT NULL PRIMARY KEY)');
  const numbers = Array.from({ length: THOUSAND }, (_, n) => [n]);
  await connection.query('INSERT INTO thousand (n) VALUES ?', [numbers]);
}
