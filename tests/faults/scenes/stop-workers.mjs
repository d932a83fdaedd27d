import { setTimeout as pause } from 'node:timers/promises';
import { steadyNow } from '../stage/clock.mjs';
import { requireLate, until } from '../stage/until.mjs';

const FLEET = 4;

/** A run that loses it, on a machine that has too much to do, would not end as one that is stopped. */
const LEASE_MS = 8_000;

const GAP_MS = { from: 100, to: 1_500 };

/** The fleet's --grace, and what a run gives its functions and its last statements beyond it. */
const GRACE_MS = 2_000;
const LAST_MOMENT_MS = 2_000;

/** For its end beyond these, on a machine that has more to do. */
const SPARE_MS = 8_000;

/** 128 and the number of SIGTERM, or SIGINT. */
const AT_ONCE = { SIGTERM: 143, SIGINT: 130 };

/** @type {import('./scene.mjs').Scene} */
export const scene = {
  name: 'stop-workers',
  title: 'SIGTERM during work, a second one, and functions that ignore their signal',
  async run(stage) {
    const random = stage.random.fork('stops');
    stage.leaseMs = LEASE_MS;
    for (const code of Object.values(AT_ONCE)) stage.expect.ends.codes.add(code);
    const fleet = stage.startFleet({ size: FLEET, args: ['--grace', `${GRACE_MS}ms`] });
    stage.startProducers({
      mix: { noop: 6, result: 2, slow: 2, deaf: 0.15, 'effect.complete': 4, 'effect.save': 4, retry: 1, once: 0.3 },
      jobsPerSecond: 120,
      payloadOf: (type, choice) => ({ ms: type === 'deaf' ? choice.int(1_000, 6_000) : choice.int(0, 400) }),
    });
    /** @type {Promise<void>[]} */
    const stopping = [];
    /** @type {Set<number>} */
    const struck = new Set();
    while (stage.hasTime) {
      await pause(random.int(GAP_MS.from, GAP_MS.to));
      const how = {
        signal: random.chance(0.7) ? /** @type {const} */ ('SIGTERM') : /** @type {const} */ ('SIGINT'),
        secondAfterMs: random.chance(0.35) ? random.int(0, GRACE_MS + LAST_MOMENT_MS) : undefined,
      };
      const victim = random.pick(fleet.live.filter(({ number }) => !struck.has(number)));
      if (victim === undefined) continue;
      struck.add(victim.number);
      stopping.push(stop(stage, fleet, victim.number, how));
    }
    await Promise.all(stopping);
    await stage.comeToRest();
  },
};

/**
 * @param {import('../stage/stage.mjs').Stage} stage
 * @param {import('../stage/fleet.mjs').Fleet} fleet
 * @param {number} number
 * @param {{ signal: 'SIGTERM' | 'SIGINT', secondAfterMs: number | undefined }} how
 */
async function stop(stage, fleet, number, { signal, secondAfterMs }) {
  // Before it has recorded itself it watches for no signal yet, and ends by the first.
  const runId = fleet.runIdOf(number);
  const isAlive = () => fleet.live.some((run) => run.number === number);
  const held = runId === undefined ? [] : await stage.readHeld(runId);
  if (!fleet.signal(number, signal)) return;
  const at = steadyNow();
  stage.faults.note(signal, held);
  const find = (/** @type {string} */ text) =>
    stage.findings.push({ check: 'a stopped run ends in order', id: `process ${number}`, text: `${signal}: ${text}` });
  let second = false;
  if (secondAfterMs !== undefined) {
    await until('it ends', () => !isAlive(), { deadlineMs: secondAfterMs, everyMs: 20 }).catch(requireLate);
    second = fleet.signal(number, signal);
    if (second) stage.faults.note(`a second ${signal}`, runId === undefined ? [] : await stage.readHeld(runId));
  }
  const deadlineMs = second ? SPARE_MS : GRACE_MS + LAST_MOMENT_MS + SPARE_MS;
  await until('it ends', () => !isAlive(), { deadlineMs }).catch((error) => {
    requireLate(error);
    find(`it has not ended within ${Math.round(steadyNow() - at)} ms`);
  });
  if (isAlive()) return;
  await fleet.ended(number);
  const { code, signal: by } = fleet.all.find((run) => run.number === number) ?? {};
  if (runId === undefined) return;
  const [run] = await stage.database.execute('SELECT outcome FROM background_job_runs WHERE id = ?', [runId]);
  const isClosed = run.outcome === 'stopped' || run.outcome === 'finished' || run.outcome === 'skipped';
  // All was over but for the farewell to the server: it listens no more, and the signal ends it as any process.
  const endedAs = by === signal && isClosed ? 0 : code;
  if (endedAs !== 0 && !(second && code === AT_ONCE[signal]))
    find(`it ended with ${by ?? code}; its run is ${run.outcome}`);
  if (endedAs !== 0) return;
  if (!isClosed) find(`it ended with 0, and its run is ${run.outcome ?? 'open'}`);
  const left = await stage.readHeld(runId);
  if (left.length > 0) find(`it ended with 0, and holds ${left.map(({ id }) => id).join(', ')}`);
}
