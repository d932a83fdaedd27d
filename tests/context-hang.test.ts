import { until } from './support/until';
import { openWorkshop, type Workshop } from './support/workshop';

let shop: Workshop;

beforeAll(async () => {
  shop = await openWorkshop('context-jobs.js');
  await shop.db.pool.query('CREATE TABLE effects (id INT AUTO_INCREMENT PRIMARY KEY, n INT)');
  await shop.db.users.allow('worker', 'INSERT', 'effects');
});

beforeEach(() => shop.clear());

afterEach(async () => {
  expect(await shop.rows('SELECT * FROM effects')).toEqual([]);
});

describe('a write that never ends', () => {
  test.each(['hangs.complete', 'hangs.save'])(
    '%s: its attempt fails at the timeout, and nothing of it stays',
    async (type) => {
      const id = await shop.add(type);
      const { code, stderr } = await shop.run(['--grace', '200ms']);
      expect(code).toBe(0);
      expect(stderr).toMatch(new RegExp(`^rowlock: job ${id} .* is abandoned; honour ctx\\.signal\\n$`));
      expect(await shop.job(id)).toMatchObject({
        status: 'pending',
        attempts: 1,
        checkpoint: null,
        last_error: expect.stringMatching(/^timed out after 200 ms/),
      });
    },
    10_000,
  );

  test('and that honours the signal is undone, and nobody is abandoned', async () => {
    const id = await shop.add('hangs.politely');
    expect(await shop.run()).toMatchObject({ code: 0, stderr: '' });
    expect(await shop.job(id)).toMatchObject({ status: 'pending', attempts: 1, last_error: 'timed out after 200 ms' });
  });

  test('is given back with its job when the run is stopped', async () => {
    const id = await shop.add('hangs.long');
    const worker = shop.start(['--grace', '100ms']);
    await until(() => shop.notes().includes('hangs'), 'it hangs');
    worker.child.kill('SIGTERM');
    expect(await worker.ended).toMatchObject({ code: 0 });
    expect(await shop.job(id)).toMatchObject({ status: 'pending', attempts: 0, crashes: 0 });
  }, 10_000);
});
