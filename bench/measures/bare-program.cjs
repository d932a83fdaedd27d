// The least that a Node program can do with this server: it is what an idle tick is compared with. CommonJS, as
// Rowlock is; and the very driver that Rowlock loads, which may be another release than the bench's own.
const { dirname, join } = require('node:path');
const { createConnection } = require(
  require.resolve('mysql2/promise', { paths: [join(dirname(dirname(__dirname)), 'dist')] }),
);

async function ask() {
  const connection = await createConnection({ uri: process.env['DATABASE_URL'] });
  await connection.query('SELECT 1');
  await connection.end();
}

void ask();
