import { existsSync, renameSync, rmSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { checkAll } from './check/check.mjs';
import { Stage } from './stage/stage.mjs';
import { Late } from './stage/until.mjs';

/** Beyond the time for its faults: for those that are still missing, and to come to rest. What takes longer hangs. */
const DEADLINE_SECONDS = 600;

/** Rows of a scene of the long form, at the least, where the scene says nothing else. */
const JOBS_IF_LONG = 1_000;

/** Offending jobs or runs that are shown of each check. */
const SHOWN_AT_MOST = 5;

/**
 * What a scene came to: a line of the table.
 * @typedef {object} Played
 * @property {string} scene
 * @property {string} server
 * @property {number} seed
 * @property {number} faults injected
 * @property {number | undefined} jobs rows that were there at the end; undefined, also below: nobody knows
 * @property {number | undefined} lost rows that are not there, or that did not end
 * @property {number | undefined} doubled effects that were written more than once, or not at all for a completed job
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
  moveAside(options.folder);
  /** @type {Stage | undefined} */
  let stage;
  /** @type {import('./check/check.mjs').Finding[]} */
  const findings = [];
  /** @type {string[]} */
  const wrong = [];
  /** @type {number | undefined} */
  let jobs;
  let isWhole = false;
  /** @param {string} what @param {unknown} error */
  const tell = (what, error) => wrong.push(`${what}: ${error instanceof Error ? error.stack : error}`);
  try {
    stage = await Stage.open(options, scene);
    onStage.stage = stage;
    await within(options.seconds + DEADLINE_SECONDS, scene.run(stage));
    isWhole = true;
  } catch (error) {
    tell('it did not come to its end', error);
  }
  if (stage !== undefined) {
    try {
      // What is left in the middle of a scene may say most of why.
      if (!isWhole) await stage.stop();
      const readings = await stage.read();
      jobs = readings.jobs.length;
      findings.push(...checkAll(readings));
      const { samples, ended } = stage.sampler;
      if (samples === 0 || (ended.size === 0 && readings.jobs.some(hasCompleted)))
        wrong.push('the tables were not looked at meanwhile');
    } catch (error) {
      isWhole = false;
      tell('what it left could not be read', error);
    }
    findings.push(...stage.findings, ...stage.sampler.findings);
    if (isWhole) wrong.push(...tooLittle(scene, options, { jobs: jobs ?? 0, faults: stage.faults.count }));
    await stage.close().catch((error) => tell('it could not be ended', error));
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
    faults: stage?.faults.count ?? 0,
    jobs,
    lost: isWhole ? count('no row lost', 'every row ends', 'ended stays ended') : undefined,
    doubled: isWhole ? count('effects once') : undefined,
    recoveryMs: stage?.faults.longestRecoveryMs,
    seconds: (performance.now() - began) / 1000,
    wrong,
  };
}

/**
 * What an earlier play of the same scene and seed has left may be the only trace of a failure that comes but once.
 *
 * @param {string} folder
 */
function moveAside(folder) {
  if (!existsSync(folder)) return;
  let number = 1;
  while (existsSync(`${folder}.${number}`)) number++;
  renameSync(folder, `${folder}.${number}`);
}

/** @param {import('./check/readings.mjs').JobRow} row */
const hasCompleted = ({ status }) => status === 'completed';

/**
 * What has shown nothing, or less than the long form is to show.
 *
 * @param {import('./scenes/scene.mjs').Scene} scene
 * @param {{ long: boolean }} form
 * @param {{ jobs: number, faults: number }} shown
 * @returns {string[]}
 */
function tooLittle({ leastIfLong = {} }, { long }, shown) {
  const least = long ? { jobs: JOBS_IF_LONG, faults: 1, ...leastIfLong } : { jobs: 1, faults: 1 };
  return /** @type {const} */ (['jobs', 'faults'])
    .filter((what) => shown[what] < least[what])
    .map((what) => `${shown[what]} ${what}, and ${least[what]} are the least: it has shown too little`);
}

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
