import { setTimeout as pause } from 'node:timers/promises';
import { findBrokenRuns } from '../stage/broken-runs.mjs';
import { Hogs } from '../stage/hogs.mjs';
import { EVERY_KIND, longAndShort } from '../stage/long-and-short.mjs';
import { killSession } from '../stage/sessions.mjs';
import { until } from '../stage/until.mjs';

const GAP_MS = { from: 200, to: 1_500 };

/** Rarely it lasts longer than a lease: then the runs whose jobs are due have to be told apart from dead ones. */
const LASTS_MS = { short: { from: 100, to: 2_000 }, long: { from: 8_500, to: 11_000 } };

/** Connections that are ended in a row. */
const KILLS = { from: 3, to: 30 };

/** @typedef {import('../stage/stage.mjs').Stage} Stage */
/** @typedef {import('../seeded.mjs').Seeded} Seeded */
/** @typedef {import('mysql2/promise').Connection} Connection */

/** @type {import('./scene.mjs').Scene} */
export const scene = {
  name: 'refusing-server',
  title: 'the server is read-only for a while, has no connection left, and ends connections one by one',
  // Few: what fills them takes no time.
  serverOptions: ['--max-connections=80'],
  async run(stage) {
    // Longer than a process waits for its turn on a busy machine: each lease that is lost makes eight suspects.
    stage.leaseMs = 8_000;
    const random = stage.random.fork('refusals');
    stage.startFleet({ each: longAndShort });
    stage.startProducers(EVERY_KIND);
    // From before on: later it might find none free itself.
    const admin = await stage.server.connect();
    stage.atEnd(() => admin.destroy());
    const kinds = [beReadOnly, fillConnections, killConnections];
    for (let turn = 0; stage.hasTime || turn < kinds.length; turn++) {
      await pause(random.int(GAP_MS.from, GAP_MS.to));
      // Each kind, whatever the seed.
      const strike = kinds[turn] ?? random.pick(kinds) ?? killConnections;
      await strike(stage, admin, random);
    }
    await stage.comeToRest();
    await findBrokenRuns(stage);
  },
};

/** @param {Seeded} random */
function lasts(random) {
  const { from, to } = random.chance(0.12) ? LASTS_MS.long : LASTS_MS.short;
  return random.int(from, to);
}

/**
 * @param {Stage} stage
 * @param {Connection} admin
 * @param {Seeded} random
 */
async function beReadOnly(stage, admin, random) {
  const name = stage.server.isMariaDB ? 'read_only' : 'super_read_only';
  const struck = await stage.readHeld();
  await admin.query(`SET GLOBAL ${name} = ON`);
  stage.faults.note('read-only', struck);
  await pause(lasts(random));
  await admin.query('SET GLOBAL read_only = OFF');
}

/**
 * @param {Stage} stage
 * @param {Connection} admin
 * @param {Seeded} random
 */
async function fillConnections(stage, admin, random) {
  const struck = await stage.readHeld();
  const hogs = new Hogs(stage.database.url('viewer'));
  try {
    await until('no connection is left', () => hogs.refusals > 0, { deadlineMs: 60_000 });
    stage.faults.note('no connection left', struck);
    // Whoever has one would go on with it: some have to ask for another one now.
    for (let left = random.int(1, 5); left > 0; left--) await killSession(admin, random, { whole: true });
    await pause(lasts(random));
  } finally {
    await hogs.release();
  }
}

/**
 * @param {Stage} stage
 * @param {Connection} admin
 * @param {Seeded} random
 */
async function killConnections(stage, admin, random) {
  for (let left = random.int(KILLS.from, KILLS.to); left > 0; left--) {
    await pause(random.int(0, 40));
    const struck = await stage.readHeld();
    const whole = random.chance(0.7);
    if (await killSession(admin, random, { whole }))
      stage.faults.note(whole ? 'KILL CONNECTION' : 'KILL QUERY', struck);
  }
}
