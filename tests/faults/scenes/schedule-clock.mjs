import { join } from 'node:path';
import { comeToRestWithoutTicks, RECURRING } from '../stage/recurring.mjs';
import { until } from '../stage/until.mjs';
import { lacksWrongClocks, WrongClock } from '../stage/wrong-clock.mjs';

/** It ticks every two seconds, and looks after its clock every five; a run has to start, on a machine that others use. */
const TICK_MS = 60_000;

/** Ticks after each change of its clock: a change of a second ago may have been missed, one of some ticks ago not. */
const TICKS = 3;

/**
 * What its clock shows, one after the other: jumps of hours, as of a machine that was suspended. node-cron counts each beat that was
 * missed, so that months of them would keep it busy for minutes.
 */
const TIMES = {
  spring: [
    { what: 'the hour that is skipped', at: '2027-03-28T00:59:55Z' },
    { what: 'two hours back', at: '2027-03-27T23:00:00Z' },
  ],
  autumn: [
    { what: 'into the hour that comes twice', at: '2027-10-30T23:59:55Z' },
    { what: 'out of it', at: '2027-10-31T00:59:55Z' },
    { what: 'back into it', at: '2027-10-31T00:10:00Z' },
    { what: 'a month back', at: '2027-09-30T12:00:00Z' },
    { what: 'three hours forwards', at: '2027-09-30T15:00:00Z' },
  ],
};

/** @type {import('./scene.mjs').Scene} */
export const scene = {
  name: 'schedule-clock',
  title: 'rowlock schedule goes on ticking, whatever becomes of its clock: daylight saving, hours back and forwards',
  longOnly: true,
  lacks: lacksWrongClocks,
  async run(stage) {
    stage.startProducers({ mix: { noop: 6, 'effect.complete': 2, 'effect.save': 1, retry: 1 }, jobsPerSecond: 30 });
    for (const [season, times] of Object.entries(TIMES)) {
      const clock = new WrongClock(join(stage.folder, season));
      clock.show(new Date(times[0]?.at ?? 0));
      const fleet = stage.startFleet({
        size: 1,
        jobs: RECURRING,
        env: clock.env,
        command: ['schedule', '--cron', '*/2 * * * * *', '--timezone', 'Europe/Berlin'],
        args: ['--keep-alive', '0', '--max-time', '1s'],
      });
      await ticks(stage, `the ${season}`);
      for (const { what, at } of times) {
        const held = await stage.readHeld();
        clock.show(new Date(at));
        stage.faults.note(what, held);
        await ticks(stage, what);
      }
      await fleet.stop();
    }
    await comeToRestWithoutTicks(stage, []);
  },
};

/**
 * @param {import('../stage/stage.mjs').Stage} stage
 * @param {string} what
 */
async function ticks(stage, what) {
  const before = await countRuns(stage);
  await until(`${TICKS} ticks: ${what}`, async () => (await countRuns(stage)) >= before + TICKS, {
    deadlineMs: TICK_MS,
  });
}

/** @param {import('../stage/stage.mjs').Stage} stage */
async function countRuns(stage) {
  const [row] = await stage.database.execute('SELECT COUNT(*) AS runs FROM background_job_runs');
  return Number(row.runs);
}
