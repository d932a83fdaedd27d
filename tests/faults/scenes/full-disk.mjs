import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { findBrokenRuns } from '../stage/broken-runs.mjs';
import { longAndShort } from '../stage/long-and-short.mjs';
import { readPrints } from '../stage/read.mjs';
import { whyNoSmallDisk } from '../stage/small-disk.mjs';
import { until } from '../stage/until.mjs';

const KIB = 1024;

/** The data of a fresh server takes 130 MB of it. */
const DISK_MEGABYTES = 500;

const GAP_MS = { from: 500, to: 2_500 };

/** In between, so that there is something to lose each time. */
const ROWS_BETWEEN = 350;

/** The long form goes on until so many are inserted, for so much longer at most: MySQL waits up to a minute for room. */
const ROWS_IF_LONG = 1_050;
const OVERTIME_MS = 200_000;

const LASTS_MS = { from: 300, to: 6_000 };

/** InnoDB cannot make the table any larger: "The table is full". */
const TABLE_FULL = 1114;

/** Until the pages that the tables have in reserve are used up, 4 MB each. */
const REFUSAL_DEADLINE_MS = 30_000;

/** MySQL looks once a minute whether its binary log has room again; each COMMIT waits for that. */
const ROOM_DEADLINE_MS = 100_000;

/** @typedef {import('../stage/stage.mjs').Stage} Stage */

/**
 * How often runs have said that they wait for it. What they write needs room for temporary files, and feels it first.
 *
 * @param {Stage} stage
 */
const countWaits = ({ folder }) =>
  readPrints(join(folder, 'runs')).reduce((sum, { text }) => sum + text.split('cannot do it just now').length - 1, 0);

/** @type {import('./scene.mjs').Scene} */
export const scene = {
  name: 'full-disk',
  title: 'the disk of the server is full, and has room again',
  diskMegabytes: DISK_MEGABYTES,
  lacks: whyNoSmallDisk,
  async run(stage) {
    // Nothing here is about leases: on a machine that is short of time none is to end.
    stage.leaseMs = 15_000;
    const random = stage.random.fork('disk');
    const { disk, server } = stage;
    // No COMMIT and so no rescue until it has looked.
    if (!server.isMariaDB) stage.sampler.toleranceSeconds = ROOM_DEADLINE_MS / 1_000;
    stage.startFleet({ each: longAndShort });
    const producers = stage.startProducers({
      mix: { noop: 4, result: 6, retry: 3, fail: 0.3, 'effect.complete': 4, 'effect.save': 3, once: 0.3 },
      jobsPerSecond: 400,
      // Large, so that they need new pages: whoever only changes a row in place notices nothing.
      payloadOf: (_, choice) => ({ text: 'p'.repeat(choice.int(0, 16 * KIB)), bytes: choice.int(0, 8 * KIB) }),
    });
    const hasShown = () => !stage.isLong || producers.inserted >= ROWS_IF_LONG;
    do {
      const rows = producers.inserted;
      await pause(random.int(GAP_MS.from, GAP_MS.to));
      await until('more rows are inserted', () => producers.inserted >= rows + ROWS_BETWEEN);
      const struck = await stage.readHeld();
      const refusals = () => producers.refusals(TABLE_FULL) + countWaits(stage);
      const before = refusals();
      disk.fill();
      const isFelt = () => {
        // What a temporary file has given back is taken, too.
        disk.fill();
        return refusals() > before || !server.isUp;
      };
      await until('somebody feels that there is no room', isFelt, { deadlineMs: REFUSAL_DEADLINE_MS });
      stage.faults.note(server.isUp ? 'disk full' : 'disk full, and the server has ended itself', struck);
      await pause(random.int(LASTS_MS.from, LASTS_MS.to));
      disk.free();
      const { inserted } = producers;
      const isOver = async () => {
        // One that ends itself takes seconds to describe why, and has room again meanwhile.
        if (!server.isUp) await server.start();
        return producers.inserted > inserted;
      };
      await until('rows are inserted again', isOver, { deadlineMs: ROOM_DEADLINE_MS });
    } while (stage.hasTimeFor(hasShown, OVERTIME_MS));
    await stage.comeToRest();
    await findBrokenRuns(stage);
    const dropped = await stage.database.execute(
      `SELECT id FROM background_jobs WHERE job_type = 'result' AND status = 'completed' AND result IS NULL`,
    );
    for (const { id } of dropped) stage.findings.push({ check: 'results are kept', id, text: 'its result is NULL' });
  },
};
