import { messageOf } from '../src/errors';
import { createDatabase } from './support/database';
import { rowlock } from './support/rowlock';
import { until } from './support/until';

test('all of it', async () => {
  const db = await createDatabase();
  await db.pool.query("INSERT INTO background_jobs (job_type, payload) VALUES ('x', '{}')");
  const [rows] = await db.pool.query('SELECT id, status, payload FROM background_jobs');
  expect(rows).toEqual([{ id: 1, status: 'pending', payload: '{}' }]);
  expect(messageOf('x')).toBe('x');
  const r = await rowlock(['--help']);
  console.log(r);
  await expect(until(() => false, 'never', 100)).rejects.toThrow('never');
});
