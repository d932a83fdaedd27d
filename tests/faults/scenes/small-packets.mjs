import { setTimeout as pause } from 'node:timers/promises';
import { findBrokenRuns } from '../stage/broken-runs.mjs';
import { longAndShort } from '../stage/long-and-short.mjs';
import { killSession } from '../stage/sessions.mjs';

const KIB = 1024;

/** What max_allowed_packet is set to: the first is less than one of the larger results takes. */
const PACKETS = [16 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, 1024 * KIB];

/** Of results, errors, checkpoints and payloads. */
const SIZES = [0, 0, 1 * KIB, 12 * KIB, 60 * KIB, 300 * KIB];

/** What is no larger than this has to be stored, whatever the server takes just now. */
const ALWAYS_FITS = 1 * KIB;

const GAP_MS = { from: 100, to: 1_500 };

/** @type {import('./scene.mjs').Scene} */
export const scene = {
  name: 'small-packets',
  title: 'max_allowed_packet is small, with large results, errors, checkpoints and payloads, and changes',
  serverOptions: ['--max-allowed-packet=1M'],
  async run(stage) {
    // Nothing here is about leases: on a machine that is short of time none is to end.
    stage.leaseMs = 15_000;
    const random = stage.random.fork('packets');
    stage.startFleet({ each: longAndShort });
    stage.startProducers({
      mix: { noop: 6, result: 8, retry: 3, fail: 0.2, 'effect.complete': 2, 'effect.save': 2, 'save.large': 0.5 },
      jobsPerSecond: 150,
      largestBatch: 15,
      payloadOf: (type, choice) => {
        const bytes = choice.pick(SIZES) ?? 0;
        if (type === 'noop') return { text: 'p'.repeat(choice.chance(0.1) ? bytes : 0) };
        return type === 'effect.save' ? { bytes: Math.min(bytes, ALWAYS_FITS) } : { bytes };
      },
    });
    const admin = await stage.server.connect();
    stage.atEnd(() => admin.destroy());
    while (stage.hasTime) {
      await pause(random.int(GAP_MS.from, GAP_MS.to));
      const bytes = random.pick(PACKETS) ?? KIB;
      const struck = await stage.readHeld();
      await admin.query('SET GLOBAL max_allowed_packet = ?', [bytes]);
      // A session keeps what it began with: those that are ended have to find out.
      for (let left = random.int(1, 6); left > 0; left--) await killSession(admin, random, { whole: true });
      stage.faults.note(`max_allowed_packet is ${bytes}`, struck);
    }
    // What is larger than the last of them waits until somebody raises it.
    await admin.query('SET GLOBAL max_allowed_packet = ?', [Math.max(...PACKETS)]);
    await stage.comeToRest();
    await findBrokenRuns(stage);
    const dropped = await stage.database.execute(
      `SELECT id, JSON_VALUE(payload, '$.bytes') AS bytes FROM background_jobs
       WHERE job_type = 'result' AND status = 'completed' AND result IS NULL`,
    );
    if (dropped.length === 0) throw new Error('no result was too large for the server: it has shown nothing');
    for (const { id, bytes } of dropped) {
      if (bytes > ALWAYS_FITS) continue;
      stage.findings.push({ check: 'results are kept', id, text: `one of ${bytes} bytes is NULL` });
    }
  },
};
