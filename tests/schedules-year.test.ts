import type { RowDataPacket } from 'mysql2/promise';
import { enqueueTicks, type Schedule } from '../src/queue/schedules';
import { listSchedules } from '../src/worker/recurring';
import { createRegistry } from '../src/worker/registry';
import { type Expected, listTicks, newestOf } from './support/calendar';
import { createDatabase, type TestDatabase } from './support/database';
import { type Host, openHost } from './support/host';

const ZONE = 'Europe/Berlin';
const FROM = new Date('2027-01-01T00:00:00Z');
const UNTIL = new Date('2028-01-01T00:00:00Z');
/** The two Sundays on which this zone changes its clocks. */
const CHANGES = ['2027-03-28', '2027-10-31'];

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** A run at each minute of the whole year; without it at some of them, which takes seconds and not half an hour. */
const isWhole = process.env['ROWLOCK_TEST_WHOLE_YEAR'] === 'yes';

const SCHEDULES: Record<string, { cron: string; expected: Expected }> = {
  monthly: { cron: '0 0 1 * *', expected: at(({ day, hour, minute }) => day === 1 && hour === 0 && minute === 0) },
  daily: { cron: '30 2 * * *', expected: at(({ hour, minute }) => hour === 2 && minute === 30) },
  minutely: { cron: '* * * * *', expected: { isFixed: false, matches: () => true } },
};

function at(matches: Expected['matches']): Expected {
  return { isFixed: true, matches };
}

let db: TestDatabase;
let hosts: Host[];

beforeAll(async () => {
  db = await createDatabase();
  hosts = Array.from({ length: 4 }, () => openHost(db.url));
});

const schedules = (): Schedule[] =>
  listSchedules(
    createRegistry(
      Object.entries(SCHEDULES).map(([type, { cron }]) => ({
        type,
        run: () => undefined,
        schedule: { cron, timezone: ZONE },
      })),
    ),
  );

/** A repeatable choice: the test is the same each time. */
function createDice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * sides);
  };
}

/**
 * When cron fires somewhere: each minute around the changes of the clocks, which come at 01:00 UTC, and once on each other
 * day, behind the tick of the night.
 */
function* listMinutes(roll: (sides: number) => number): Generator<Date> {
  for (let day = FROM.getTime(); day < UNTIL.getTime(); day += 24 * HOUR_MS) {
    const at = (minute: number): Date => new Date(day + minute * MINUTE_MS);
    if (isWhole) for (let minute = 0; minute < 24 * 60; minute++) yield at(minute);
    else if (CHANGES.includes(at(0).toISOString().slice(0, 10)))
      for (let minute = 15; minute < 135; minute++) yield at(minute);
    else yield at(120 + roll(22 * 60));
  }
  if (!isWhole) yield new Date(UNTIL.getTime() - MINUTE_MS);
}

test(
  'each tick of a year is enqueued once, on four hosts that die now and then',
  async () => {
    const roll = createDice(2027);
    const owed = schedules();
    const looks: Date[] = [];
    const jobs: { type: string; at: Date }[] = [];
    const collect = async () => {
      jobs.push(...(await readJobs()));
      await db.pool.query('DELETE FROM background_jobs'); // as a prune does, but sooner
    };
    let deaths = 0;

    const look = (awake: readonly Host[]) => Promise.all(awake.map((host) => enqueueTicks(host.pool, owed)));

    await setClocks(hosts, new Date(FROM.getTime() - MINUTE_MS));
    await look(hosts);
    for (const minute of listMinutes(roll)) {
      const now = new Date(minute.getTime() + roll(MINUTE_MS));
      const awake = isWhole ? pickTwo(looks.length) : hosts;
      looks.push(now);
      await setClocks(awake, now);
      const victim = roll(isWhole ? 50 : 3) === 0 ? awake[roll(awake.length)] : undefined;
      victim?.dieNext(roll(2) === 0 ? 'before COMMIT' : 'after COMMIT');
      await look(awake);
      if (victim?.isDead()) {
        deaths++;
        // What it has left undone another host does, still within this minute.
        await look(awake.filter((host) => host !== victim));
      }
      await victim?.revive();
      if (looks.length % 100 === 0) await collect();
    }
    await collect();

    expect(deaths).toBeGreaterThan(50);
    for (const [type, { expected }] of Object.entries(SCHEDULES)) {
      const ticks = listTicks(expected, ZONE, FROM, UNTIL);
      // Of the ticks between two looks only the newest is owed.
      const newest = new Set(looks.map((look) => newestOf(ticks, look)?.toISOString()));
      newest.delete(undefined);
      const found = jobs.filter((job) => job.type === type).map((job) => newestOf(ticks, job.at));
      expect({ type, ticks: found.map((tick) => tick?.toISOString()) }).toEqual({ type, ticks: [...newest] });
      if (type !== 'minutely') expect(newest.size).toBe(ticks.length);
    }
  },
  isWhole ? 7_200_000 : 120_000,
);

/** Two hosts of the four, others at each look. */
const pickTwo = (looks: number): Host[] => hosts.filter((_, index) => index === looks % 4 || index === (looks + 1) % 4);

const setClocks = (awake: readonly Host[], now: Date) => Promise.all(awake.map((host) => host.setClock(now)));

async function readJobs(): Promise<{ type: string; at: Date }[]> {
  const [rows] = await db.pool.query<RowDataPacket[]>('SELECT job_type, created_at FROM background_jobs ORDER BY id');
  return rows.map(({ job_type, created_at }) => ({ type: job_type, at: created_at }));
}
