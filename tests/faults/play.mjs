import { rmSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { checkAll } from './check/check.mjs';
import { Stage } from './stage/stage.mjs';
import { Late } from './stage/until.mjs';

/** Beyond the time for its faults: to come to rest. What takes longer hangs. */
const DEADLINE_SECONDS = 300;

/** Offending jobs or runs that are shown of each check. */
const SHOWN_AT_MOST = 5;

/**
 * What a scene came to: a line of the table.
 * @typedef {object} Played
 * @property {string} scene
 * @property {string} server
 * @property {number} seed
 * @property {number} faults injected
 * @property {number} jobs rows that were there at the end
 * @property {number} lost rows that are not there, or that did not end
 * @property {number} doubled effects that were written more than once, or not at all for a completed job
 * @property {number | undefined} recoveryMs the longest
 * @property {number} seconds
 * @property {string[]} wrong in words; none: it went well
 */

/** The stage that is open, for whoever has to end it early. @typedef {{ stage: Stage | undefined }} OnStage */

/**
 * Plays one scene on one server, and holds the invariants against what it left. What went well leaves nothing behind.
 *
 * @param {import('./scenes/scene.mjs').Scene} scene
 * @param {import('./stage/stage.mjs').StageOptions} options
 * @param {OnStage} onStage
 * @returns {Promise<Played>}
 */
export async function play(scene, options, onStage) {
  const began = performance.now();
  rmSync(options.folder, { recursive: true, force: true });
  const stage = await Stage.open(options, scene);
  onStage.stage = stage;
  /** @type {import('./check/check.mjs').Finding[]} */
  let findings = [];
  /** @type {string[]} */
  const wrong = [];
  let jobs = 0;
  try {
    await within(options.seconds + DEADLINE_SECONDS, scene.run(stage));
    const readings = await stage.read();
    jobs = readings.jobs.length;
    findings = [...stage.findings, ...stage.sampler.findings, ...checkAll(readings)];
    if (stage.sampler.samples === 0 || (stage.sampler.ended.size === 0 && readings.jobs.some(hasCompleted)))
      wrong.push('the tables were not looked at meanwhile');
    if (jobs === 0) wrong.push('no row was inserted: it has shown nothing');
    if (stage.faults.count === 0) wrong.push('no fault was injected: it has shown nothing');
  } catch (error) {
    findings = [...stage.findings, ...stage.sampler.findings];
    wrong.push(`it did not come to its end: ${error instanceof Error ? error.stack : error}`);
  } finally {
    await stage.close();
    onStage.stage = undefined;
  }
  wrong.push(...describe(findings));
  if (wrong.length === 0 && !options.keep) rmSync(options.folder, { recursive: true, force: true });
  /** @param {string[]} checks */
  const count = (...checks) => findings.filter(({ check }) => checks.includes(check)).length;
  return {
    scene: scene.name,
    server: options.family,
    seed: options.seed,
    faults: stage.faults.count,
    jobs,
    lost: count('no row lost', 'every row ends', 'ended stays ended'),
    doubled: count('effects once'),
    recoveryMs: stage.faults.longestRecoveryMs,
    seconds: (performance.now() - began) / 1000,
    wrong,
  };
}

/** @param {import('./check/readings.mjs').JobRow} row */
const hasCompleted = ({ status }) => status === 'completed';

/**
 * @param {number} seconds
 * @param {Promise<void>} playing
 */
async function within(seconds, playing) {
  const over = new AbortController();
  const late = pause(seconds * 1000, undefined, { signal: over.signal }).then(() => {
    throw new Late(`not within ${seconds} s: the scene ends`);
  });
  late.catch(() => undefined);
  // It is left alone, and fails with what it works on.
  playing.catch(() => undefined);
  await Promise.race([playing, late]).finally(() => over.abort());
}

/** @param {readonly import('./check/check.mjs').Finding[]} findings */
function describe(findings) {
  const checks = new Set(findings.map(({ check }) => check));
  return [...checks].map((check) => {
    const all = findings.filter((finding) => finding.check === check);
    const shown = all.slice(0, SHOWN_AT_MOST).map(({ id, text }) => `${id}: ${text}`);
    const more = all.length > SHOWN_AT_MOST ? [`and ${all.length - SHOWN_AT_MOST} more`] : [];
    return `${check}: ${[...shown, ...more].join('\n      ')}`;
  });
}
