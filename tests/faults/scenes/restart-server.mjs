import { setTimeout as pause } from 'node:timers/promises';
import { findBrokenRuns } from '../stage/broken-runs.mjs';
import { EVERY_KIND, longAndShort } from '../stage/long-and-short.mjs';

/** Between the server's return and its next end: time enough for runs to have work in hand again. */
const UP_MS = { from: 400, to: 4_000 };

/** How long it is away, at most; from some lengths on the leases have passed when it comes back. */
const AWAY_MS = { short: 300, long: 11_000 };

/** @type {import('./scene.mjs').Scene} */
export const scene = {
  name: 'restart-server',
  title: 'the server is killed with SIGKILL, or stopped as an operator does it, and started again',
  async run(stage) {
    // Longer than a process waits for its turn on a busy machine: each lease that is lost makes eight suspects.
    stage.leaseMs = 8_000;
    const random = stage.random.fork('restarts');
    const { server } = stage;
    stage.startFleet({ each: longAndShort });
    stage.startProducers(EVERY_KIND);
    while (stage.hasTime) {
      await pause(random.int(UP_MS.from, UP_MS.to));
      const struck = await stage.readHeld();
      const isKill = random.chance(0.6);
      await (isKill ? server.kill() : server.stop());
      stage.faults.note(isKill ? 'SIGKILL of the server' : 'clean stop of the server', struck);
      await pause(random.int(0, random.chance(0.15) ? AWAY_MS.long : AWAY_MS.short));
      await server.start();
    }
    await stage.comeToRest();
    await findBrokenRuns(stage);
  },
};
