import type { RowDataPacket } from 'mysql2/promise';
import type { Pool } from '../src/db/pool';
import { change } from '../src/db/statements';
import { enqueueTicks, type Schedule } from '../src/queue/schedules';
import { listSchedules } from '../src/worker/recurring';
import { createRegistry } from '../src/worker/registry';
import { createDatabase, type TestDatabase } from './support/database';
import { openHost } from './support/host';
import { readClock } from './support/rows';
import { openQueuePool } from './support/tables';

let db: TestDatabase;
let pool: Pool;

beforeAll(async () => {
  db = await createDatabase();
  pool = openQueuePool(db.url, 8);
});

beforeEach(async () => {
  await db.pool.query('DELETE FROM background_jobs');
  await db.pool.query('DELETE FROM background_job_schedules');
});

afterAll(() => pool.end());

const schedule = (cron: string, definition: object = {}): Schedule[] =>
  listSchedules(createRegistry([{ type: 'report', run: () => undefined, schedule: { cron }, ...definition }]));

const minutely = schedule('* * * * *');

async function rows(sql: string): Promise<RowDataPacket[]> {
  const [found] = await db.pool.query<RowDataPacket[]>(sql);
  return found;
}

const countJobs = async () => (await rows('SELECT id FROM background_jobs')).length;

/** As if the newest tick that was enqueued were as old as this. */
const ageLastTick = (interval: string) =>
  db.pool.query(`UPDATE background_job_schedules SET last_tick = NOW(3) - INTERVAL ${interval}`);

/** In milliseconds since 1970. */
async function lastTick(): Promise<number> {
  const [row] = await rows('SELECT ROUND(UNIX_TIMESTAMP(last_tick) * 1000) AS at FROM background_job_schedules');
  return Number(row?.['at']);
}

const enqueuedBy = async (schedules: Schedule[], on = pool) => (await enqueueTicks(on, schedules)).types.length;

test('nothing is asked where no job type has a schedule', async () => {
  const silent = { query: () => Promise.reject(new Error('a statement was sent')) } as unknown as Pool;
  expect(await enqueueTicks(silent, [])).toEqual({ types: [], late: [], refused: [] });
});

test('a schedule that is seen first begins at its next tick', async () => {
  expect(await enqueuedBy(minutely)).toBe(0);
  expect(await enqueuedBy(minutely)).toBe(0);
  expect(await countJobs()).toBe(0);
  await ageLastTick('61 SECOND');
  expect(await enqueuedBy(minutely)).toBe(1);
});

test("the job has its type's queue and priority and the schedule's payload, and no unique key", async () => {
  const schedules = schedule('* * * * *', {
    queue: 'reports',
    priority: 5,
    schedule: { cron: '* * * * *', timezone: 'Europe/Berlin', payload: { n: 9_007_199_254_740_993n } },
  });
  await enqueuedBy(schedules);
  await ageLastTick('61 SECOND');
  expect(await enqueuedBy(schedules)).toBe(1);
  expect(await rows('SELECT * FROM background_jobs')).toMatchObject([
    { job_type: 'report', queue: 'reports', priority: 5, unique_key: null, status: 'pending', attempts: 0 },
  ]);
  const [payload] = await rows('SELECT CAST(payload AS CHAR) AS text FROM background_jobs');
  expect(payload?.['text'].replaceAll(' ', '')).toBe('{"n":9007199254740993}');
});

test('of the ticks that were missed only the newest is made up', async () => {
  await enqueuedBy(minutely);
  await ageLastTick('3 DAY');
  const before = await readClock(db);
  expect(await enqueuedBy(minutely)).toBe(1);
  expect(await enqueuedBy(minutely)).toBe(0);
  expect(await countJobs()).toBe(1);
  const newest = await lastTick();
  expect(newest).toBeGreaterThan(before - 60_000);
  expect(newest).toBeLessThanOrEqual(await readClock(db));
});

test('many runs at once enqueue a tick once', async () => {
  await enqueuedBy(minutely);
  await ageLastTick('61 SECOND');
  const counts = await Promise.all(Array.from({ length: 8 }, () => enqueuedBy(minutely)));
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(1);
  expect(await countJobs()).toBe(1);
});

test('a run that is late to see a new schedule does not set back what another has begun', async () => {
  await enqueuedBy(minutely);
  await ageLastTick('30 DAY');
  const before = await lastTick();
  await change(pool, 'start_schedule', { type: 'report', text: '* * * * * UTC' });
  expect(await lastTick()).toEqual(before);
});

test.each(['before COMMIT', 'after COMMIT'] as const)(
  'a run that dies %s loses no tick and doubles none',
  async (death) => {
    const host = openHost(db.url);
    await host.setClock(new Date());
    await enqueuedBy(minutely);
    await ageLastTick('61 SECOND');
    host.dieNext(death);
    await enqueueTicks(host.pool, minutely);
    expect(host.isDead()).toBe(true);
    expect(await countJobs()).toBe(death === 'before COMMIT' ? 0 : 1);
    await enqueuedBy(minutely);
    expect(await countJobs()).toBe(1);
  },
);

test('pruning the jobs forgets no tick', async () => {
  await enqueuedBy(minutely);
  await ageLastTick('61 SECOND');
  await enqueuedBy(minutely);
  await db.pool.query('DELETE FROM background_jobs');
  expect(await enqueuedBy(minutely)).toBe(0);
});

describe('a cron text that has changed', () => {
  test('begins at its next tick', async () => {
    await enqueuedBy(schedule('0 0 1 1 *'));
    await ageLastTick('3 DAY');
    expect(await enqueuedBy(minutely)).toBe(0);
    expect(await rows('SELECT cron FROM background_job_schedules')).toEqual([{ cron: '* * * * * UTC' }]);
    await ageLastTick('61 SECOND');
    expect(await enqueuedBy(minutely)).toBe(1);
  });

  test('a time zone that has changed is another schedule', async () => {
    await enqueuedBy(minutely);
    await ageLastTick('3 DAY');
    const elsewhere = schedule('* * * * *', { schedule: { cron: '* * * * *', timezone: 'Asia/Tokyo' } });
    expect(await enqueuedBy(elsewhere)).toBe(0);
  });

  test('white space makes no other text', async () => {
    await enqueuedBy(minutely);
    await ageLastTick('3 DAY');
    expect(await enqueuedBy(schedule('  *  * * *   * '))).toBe(1);
  });

  test('hosts with the old and the new text take turns, and neither keeps the other from its ticks', async () => {
    const [old, fresh] = [openHost(db.url), openHost(db.url)];
    const texts = new Map([
      [old, schedule('10 6 * * *')],
      [fresh, schedule('20 6 * * *')],
    ]);
    for (let minute = 0; minute < 30; minute++) {
      for (const [index, [host, schedules]] of [...texts].entries()) {
        await host.setClock(new Date(Date.UTC(2027, 4, 5, 6, minute, index)));
        await enqueueTicks(host.pool, schedules);
      }
    }
    const jobs = await rows('SELECT created_at FROM background_jobs ORDER BY id');
    expect(jobs.map(({ created_at }) => created_at.toISOString().slice(11, 16))).toEqual(['06:10', '06:20']);
  });
});

test('a tick that another run took between the look and the update is left to it', async () => {
  await enqueuedBy(minutely);
  await ageLastTick('61 SECOND');
  let overtaken = false;
  const slow: Schedule = {
    ...(minutely[0] as Schedule),
    newestTick: (now) => minutely[0]?.newestTick(now),
  };
  const behind = new Proxy(pool, {
    get(target, property) {
      if (property !== 'getConnection') return Reflect.get(target, property).bind?.(target);
      return async () => {
        if (!overtaken) expect(await enqueuedBy(minutely)).toBe(1);
        overtaken = true;
        return pool.getConnection();
      };
    },
  });
  expect(await enqueuedBy([slow], behind)).toBe(0);
  expect(await countJobs()).toBe(1);
});

test('a job that cannot be enqueued stops no other schedule', async () => {
  const [good] = minutely as [Schedule];
  const bad: Schedule = { ...good, type: 'bad', job: { ...good.job, jobType: 'bad', priority: 99_999 } };
  await enqueueTicks(pool, [bad, good]);
  await ageLastTick('61 SECOND');
  const { types, refused } = await enqueueTicks(pool, [bad, good]);
  expect(types).toEqual(['report']);
  expect(refused).toEqual([{ type: 'bad', error: expect.objectContaining({ name: 'UnfitJobError' }) }]);
});

test('a lock at the end of the table leaves the tick to the next run, and keeps this one from nothing else', async () => {
  await enqueuedBy(minutely);
  await ageLastTick('61 SECOND');
  const holder = await db.pool.getConnection();
  await holder.query('SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ');
  await holder.query('START TRANSACTION');
  await holder.query('SELECT * FROM background_jobs WHERE id > 0 FOR UPDATE');
  expect(await enqueueTicks(pool, minutely)).toEqual({ types: [], late: ['report'], refused: [] });
  await holder.query('ROLLBACK');
  holder.destroy();
  expect(await enqueuedBy(minutely)).toBe(1);
});

test('a tick that was taken by a clock hours ahead does not silence the schedule', async () => {
  await enqueuedBy(minutely);
  await ageLastTick('-1 DAY');
  expect(await enqueuedBy(minutely)).toBe(0);
  expect(await rows('SELECT last_tick <= NOW(3) AS isPast FROM background_job_schedules')).toEqual([{ isPast: 1 }]);
  await ageLastTick('61 SECOND');
  expect(await enqueuedBy(minutely)).toBe(1);
});
