import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createConnection } from 'mysql2/promise';
import { comeToRestWithoutTicks, RECURRING } from '../stage/recurring.mjs';
import { lacksWrongClocks, WrongClock } from '../stage/wrong-clock.mjs';

const HOUR = 3_600;

/** How far off a worker's clock is, in seconds. */
const OFFSETS = [-26 * HOUR, -9 * HOUR, -3 * HOUR, -61 * 60, -90, 0, 45, 30 * 60, 5 * HOUR, 13 * HOUR, 400 * 24 * HOUR];

/** Of the sessions that insert. */
const ZONES = ['-12:00', '-08:00', '-03:30', 'SYSTEM', '+00:00', '+01:00', '+05:45', '+09:00', '+13:00'];

/** From one moment on: all that is inserted within it is due within the same span, later. */
const LATER_SECONDS = 2;

const LONGEST_RUN_MS = 60_000;

/** @type {import('./scene.mjs').Scene} */
export const scene = {
  name: 'worker-clocks',
  title: 'the clocks of the workers are hours off, and jump while they work; producers are in many time zones',
  lacks: lacksWrongClocks,
  async run(stage) {
    stage.expect.ends.longestMs = LONGEST_RUN_MS;
    const random = stage.random.fork('clocks');
    mkdirSync(join(stage.folder, 'clocks'));
    /** @type {Map<number, WrongClock>} */
    const clocks = new Map();
    const fleet = stage.startFleet({
      size: 4,
      jobs: RECURRING,
      each: (number) => {
        const clock = new WrongClock(
          join(stage.folder, 'clocks', String(number)),
          random.fork(`run ${number}`).pick(OFFSETS),
        );
        clocks.set(number, clock);
        return { env: clock.env };
      },
    });
    stage.startProducers({
      mix: { noop: 6, result: 2, slow: 1, 'effect.complete': 3, 'effect.save': 3, retry: 2, fail: 0.2 },
      jobsPerSecond: 100,
      later: 0.3,
    });
    await Promise.all([
      jump(stage, fleet, clocks, random.fork('jumps')),
      insertFromEverywhere(stage, random.fork('zones')),
    ]);
    await comeToRestWithoutTicks(stage, [fleet]);
    stage.findings.push(...(await findOddTicks(stage)));
  },
};

/**
 * @param {import('../stage/stage.mjs').Stage} stage
 * @param {import('../stage/fleet.mjs').Fleet} fleet
 * @param {Map<number, WrongClock>} clocks
 * @param {import('../seeded.mjs').Seeded} random
 */
async function jump(stage, fleet, clocks, random) {
  while (stage.hasTime) {
    await pause(random.int(100, 1_000));
    const run = random.pick(fleet.live);
    const offset = random.pick(OFFSETS) ?? 0;
    if (run === undefined) continue;
    const runId = fleet.runIdOf(run.number);
    const held = runId === undefined ? [] : await stage.readHeld(runId);
    clocks.get(run.number)?.set(offset);
    stage.faults.note('the clock of a worker set', held);
  }
}

/**
 * A row from each zone at the same moment, due a little later: all of them are due at the same moment.
 *
 * @param {import('../stage/stage.mjs').Stage} stage
 * @param {import('../seeded.mjs').Seeded} random
 */
async function insertFromEverywhere(stage, random) {
  const sessions = await Promise.all(
    ZONES.map(async (zone) => {
      const session = await createConnection({ uri: stage.database.url('producer'), supportBigNumbers: true });
      await session.query('SET time_zone = ?', [zone]);
      stage.atEnd(() => session.destroy());
      return { zone, session };
    }),
  );
  while (stage.hasTime) {
    const from = await readClock(stage);
    const rows = await Promise.all(
      sessions.map(async ({ zone, session }) => {
        const token = stage.ledger.newToken();
        const type = random.pick(['noop', 'effect.complete', 'retry']) ?? 'noop';
        const [answer] = await session.query(
          `INSERT INTO background_jobs (job_type, payload, run_at) VALUES (?, ?, NOW(3) + INTERVAL ? SECOND)`,
          [type, JSON.stringify({ token, canary: stage.canary }), LATER_SECONDS],
        );
        stage.ledger.note([{ token, type, fate: 'committed' }]);
        return { zone, id: Number(/** @type {import('mysql2').ResultSetHeader} */ (answer).insertId) };
      }),
    );
    const until = await readClock(stage);
    for (const { zone, id } of rows) {
      const [row] = await stage.database.execute(
        'SELECT UNIX_TIMESTAMP(run_at) AS at, attempts FROM background_jobs WHERE id = ?',
        [id],
      );
      const at = Number(row.at) - LATER_SECONDS;
      // A retry that has begun has a run_at of its own.
      if (row.attempts === 0 && (at < from || at > until))
        stage.findings.push({
          check: 'due at the same moment',
          id,
          text: `from ${zone}: ${(at - from).toFixed(3)} s off`,
        });
    }
    await pause(random.int(200, 1_000));
  }
}

/** @param {import('../stage/stage.mjs').Stage} stage in seconds */
async function readClock(stage) {
  const [row] = await stage.database.execute('SELECT UNIX_TIMESTAMP(NOW(3)) AS now');
  return Number(row.now);
}

/**
 * Whole minutes of the server's clock have a tick each, and one alone.
 *
 * @param {import('../stage/stage.mjs').Stage} stage
 * @returns {Promise<import('../check/check.mjs').Finding[]>}
 */
async function findOddTicks(stage) {
  /** @type {{ minute: number, ticks: number }[]} */
  const rows = await stage.database.execute(
    `SELECT FLOOR(UNIX_TIMESTAMP(created_at) / 60) AS minute, COUNT(*) AS ticks FROM background_jobs
     WHERE job_type = 'tick.minute' GROUP BY minute ORDER BY minute`,
  );
  return rows.flatMap(({ minute, ticks }, index) => {
    const before = rows[index - 1]?.minute;
    const missed = before === undefined ? 0 : Number(minute) - Number(before) - 1;
    if (Number(ticks) === 1 && missed === 0) return [];
    return [
      {
        check: 'each tick once',
        id: `minute ${minute}`,
        text: `${ticks} ticks; ${missed} minutes before it have none`,
      },
    ];
  });
}
