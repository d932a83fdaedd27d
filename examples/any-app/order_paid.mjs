// node order_paid.mjs ORDER NOTE
import mysql from 'mysql2/promise';

/** False: there is such a job already. */
async function enqueue(db, type, payload, runAt, uniqueKey) {
  const sql = 'INSERT INTO background_jobs (job_type, payload, run_at, unique_key) VALUES (?, ?, FROM_UNIXTIME(?), ?)';
  try {
    await db.execute(sql, [type, JSON.stringify(payload), runAt.getTime() / 1000, uniqueKey]);
  } catch (error) {
    if (error.errno !== 1062) throw error;
    return false;
  }
  return true;
}

const [order, note] = process.argv.slice(2);
const { DB_HOST: host, DB_PORT: port, DB_NAME: database, DB_USER: user, DB_PASSWORD: password } = process.env;
const db = await mysql.createConnection({ host, port, database, user, password });

try {
  await db.beginTransaction();
  const eight = new Date();
  eight.setUTCHours(24 + 8, 0, 0, 0);
  if (!(await enqueue(db, 'invoice.send', { order: Number(order), note }, eight, `order ${order}`)))
    process.stdout.write(`order ${order} has its invoice already\n`);
  await db.execute('INSERT INTO payments (order_id, note) VALUES (?, ?)', [order, note]);
  await db.commit();
} catch (error) {
  await db.rollback();
  throw error;
} finally {
  await db.end();
}
