import { setTimeout as pause } from 'node:timers/promises';
import { comeToRestWithoutTicks, RECURRING } from '../stage/recurring.mjs';
import { ServerClock } from '../stage/server-clock.mjs';
import { until } from '../stage/until.mjs';
import { lacksWrongClocks } from '../stage/wrong-clock.mjs';

const TICK_MS = 45_000;

/** Several runs, some of which have just begun: each looks for what is owed as it begins. */
const LONGEST_RUN_MS = 60_000;

const BEGIN = '2027-03-28T00:30:00Z';

/**
 * What the server's clock passes, and the ticks that come of it: jobs of each type since the step before. At 01:00 UTC of the
 * one Sunday the clocks of Berlin go from 02:00 to 03:00, of the other from 03:00 to 02:00.
 */
const STEPS = [
  { what: 'the hour that is skipped', at: '2027-03-28T00:59:57Z', ticks: { 'tick.half': 1, 'tick.three': 1 } },
  {
    what: 'seven months later, the newest made up',
    at: '2027-10-31T00:01:00Z',
    ticks: { 'tick.half': 1, 'tick.three': 1 },
  },
  { what: 'half past two, the first time', at: '2027-10-31T00:29:57Z', ticks: { 'tick.half': 1 } },
  { what: 'half past two, the second time', at: '2027-10-31T01:29:57Z', ticks: {} },
  { what: 'three', at: '2027-10-31T01:59:57Z', ticks: { 'tick.three': 1 } },
];

/** @type {import('./scene.mjs').Scene} */
export const scene = {
  name: 'daylight-saving',
  title: 'the clocks change, once each way, under schedules that name the hour which is skipped, or comes twice',
  longOnly: true,
  lacks: lacksWrongClocks,
  async run(stage) {
    stage.expect.ends.longestMs = LONGEST_RUN_MS;
    const clock = await ServerClock.begin(stage, { at: new Date(BEGIN), env: { TZ: 'Europe/Berlin' } });
    const fleet = stage.startFleet({ jobs: RECURRING, args: ['--max-time', '2s', '--keep-alive', '1s'] });
    stage.startProducers({ mix: { noop: 3, 'effect.complete': 1, 'effect.save': 1 }, jobsPerSecond: 40, later: 0 });
    await until(
      'the schedules have begun',
      async () => (await count(stage, 'background_job_schedules', 'tick.%')) === 3,
      {
        deadlineMs: TICK_MS,
      },
    );
    for (const { what, at, ticks } of STEPS) {
      const before = await readTicks(stage);
      clock.show(new Date(at));
      stage.faults.note(what);
      // Past the minute's end, and until runs have looked after that.
      await pause(4_000);
      const runs = await count(stage, 'background_job_runs');
      await until('runs have looked for ticks', async () => (await count(stage, 'background_job_runs')) >= runs + 4, {
        deadlineMs: TICK_MS,
      });
      const after = await readTicks(stage);
      for (const type of ['tick.half', 'tick.three']) {
        const found = (after[type] ?? 0) - (before[type] ?? 0);
        const expected = /** @type {Record<string, number>} */ (ticks)[type] ?? 0;
        if (found !== expected)
          stage.findings.push({
            check: 'each tick once',
            id: type,
            text: `${what}: ${found} ticks, and not ${expected}`,
          });
      }
    }
    // Runs of two seconds are too short for suspects, which need a process each.
    await comeToRestWithoutTicks(stage, [fleet]);
  },
};

/**
 * @param {import('../stage/stage.mjs').Stage} stage
 * @returns {Promise<Record<string, number>>} jobs, by type
 */
async function readTicks(stage) {
  /** @type {{ type: string, ticks: number }[]} */
  const rows = await stage.database.execute(
    `SELECT job_type AS type, COUNT(*) AS ticks FROM background_jobs WHERE job_type LIKE 'tick.%' GROUP BY job_type`,
  );
  return Object.fromEntries(rows.map(({ type, ticks }) => [type, Number(ticks)]));
}

/**
 * @param {import('../stage/stage.mjs').Stage} stage
 * @param {string} table
 * @param {string} [like] of its job_type
 */
async function count(stage, table, like) {
  const where = like === undefined ? '' : 'WHERE job_type LIKE ?';
  const [row] = await stage.database.execute(`SELECT COUNT(*) AS n FROM ${table} ${where}`, [like]);
  return Number(row.n);
}
