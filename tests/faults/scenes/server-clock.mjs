import { setTimeout as pause } from 'node:timers/promises';
import { comeToRestWithoutTicks, RECURRING } from '../stage/recurring.mjs';
import { ServerClock } from '../stage/server-clock.mjs';
import { until } from '../stage/until.mjs';
import { lacksWrongClocks } from '../stage/wrong-clock.mjs';

/** What was held is let go or taken back within the lease and a run's start, were the machine at rest. */
const RECOVERY_MS = 60_000;

const LONGEST_RUN_MS = 90_000;

/** @type {import('./scene.mjs').Scene} */
export const scene = {
  name: 'server-clock',
  title: "the server's clock jumps by hours, forwards and back, while runs work",
  lacks: lacksWrongClocks,
  async run(stage) {
    stage.expect.ends.longestMs = LONGEST_RUN_MS;
    const random = stage.random.fork('clock');
    const clock = await ServerClock.begin(stage);
    const fleet = stage.startFleet({ jobs: RECURRING });
    stage.startProducers({
      mix: { noop: 6, result: 2, slow: 2, 'effect.complete': 3, 'effect.save': 3, retry: 1 },
      jobsPerSecond: 80,
    });
    while (stage.hasTime) {
      await pause(random.int(1_000, 4_000));
      const ticks = await countTicks(stage);
      // Whoever had a lease may lose it; the jobs are run by others, without waiting for anything.
      const fault = stage.faults.note('the clock goes forwards', await stage.readHeld());
      clock.forwards(random.int(1, 10));
      await until('what was held is recovered', () => fault.recoveredMs !== undefined, { deadlineMs: RECOVERY_MS });
      await until('the newest tick is made up', async () => (await countTicks(stage)) > ticks, {
        deadlineMs: RECOVERY_MS,
      });
      if (!random.chance(0.6)) continue;
      await pause(random.int(500, 2_000));
      // What is pending waits until the clock is there again; what is inserted now is due now.
      const before = await readNewest(stage);
      clock.back(random.int(1, 10));
      stage.faults.note('the clock goes back');
      await until('what is inserted after it is run', async () => hasEndedSince(stage, before), {
        deadlineMs: RECOVERY_MS,
      });
    }
    clock.beyondAll();
    await comeToRestWithoutTicks(stage, [fleet]);
    stage.findings.push(...(await findDoubledTicks(stage)));
  },
};

/** @param {import('../stage/stage.mjs').Stage} stage */
async function countTicks(stage) {
  const [row] = await stage.database.execute(
    `SELECT COUNT(*) AS ticks FROM background_jobs WHERE job_type = 'tick.minute'`,
  );
  return Number(row.ticks);
}

/** @param {import('../stage/stage.mjs').Stage} stage */
async function readNewest(stage) {
  const [row] = await stage.database.execute('SELECT COALESCE(MAX(id), 0) AS id FROM background_jobs');
  return Number(row.id);
}

/**
 * @param {import('../stage/stage.mjs').Stage} stage
 * @param {number} id
 */
async function hasEndedSince(stage, id) {
  const [row] = await stage.database.execute(
    `SELECT COUNT(*) AS ended FROM background_jobs WHERE id > ? AND status = 'completed'`,
    [id],
  );
  return Number(row.ended) > 0;
}

/**
 * No minute comes twice on this clock, and none has two ticks.
 *
 * @param {import('../stage/stage.mjs').Stage} stage
 * @returns {Promise<import('../check/check.mjs').Finding[]>}
 */
async function findDoubledTicks(stage) {
  /** @type {{ minute: number, ticks: number }[]} */
  const rows = await stage.database.execute(
    `SELECT FLOOR(UNIX_TIMESTAMP(created_at) / 60) AS minute, COUNT(*) AS ticks FROM background_jobs
     WHERE job_type = 'tick.minute' GROUP BY minute HAVING ticks > 1`,
  );
  return rows.map(({ minute, ticks }) => ({ check: 'each tick once', id: `minute ${minute}`, text: `${ticks} ticks` }));
}
