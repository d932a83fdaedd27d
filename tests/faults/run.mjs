// npm run test:faults [-- --long] [--seed N] [--scene NAME …] [--server mariadb|mysql] [--keep] | -- --list
//
// Plays the scenes in turn, each on a server of its own, and prints a table of what came of them. The short form takes
// less than five minutes, and MariaDB alone; the long one half an hour and more, and MySQL too: without one it has failed. The same seed
// makes the same choices. Exit code 1 if any scene failed: its folder stays, with its logs and its data. With --keep, so do
// those of scenes that held.
import { randomInt } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { readOptions, requireKnown } from '../../scripts/options.mjs';
import { prepare } from '../../scripts/prepare.mjs';
import { PROJECT } from '../../scripts/project.mjs';
import { Refusal, runScript, say } from '../../scripts/say.mjs';

const OPTIONS = /** @type {const} */ ({
  long: { type: 'boolean', default: false },
  seed: { type: 'string' },
  scene: { type: 'string', multiple: true },
  server: { type: 'string' },
  keep: { type: 'boolean', default: false },
  list: { type: 'boolean', default: false },
});

/** For the faults of all scenes together; starting servers, coming to rest and checking come on top. */
const SECONDS = { short: 75, long: 1_200 };

/** No scene is worth its server's start in less. */
const LEAST_SECONDS = 5;

/** For all that a scene has started to end, when it is ended early. */
const END_DEADLINE_MS = 5_000;

const FOLDER = join(PROJECT, '.tmp', 'faults');

/** Data of each family that is copied for each scene, of this very run. @param {string} family */
const templateOf = (family) => join(FOLDER, `fresh-${family}-${process.pid}`);

/** @type {import('./play.mjs').OnStage} */
const onStage = { stage: undefined };

for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
  process.on(signal, () => void endEarly(128 + constants.signals[signal]));
}

await runScript(async () => {
  const { long, seed, scene: names = [], server, keep, list } = readArguments();
  await prepare();
  // Only now: they load what has just been installed.
  const { SCENES } = await import('./scenes/index.mjs');
  if (list) {
    const { CHECKS } = await import('./check/check.mjs');
    const { toList } = await import('./list.mjs');
    process.stdout.write(`${toList(SCENES, CHECKS)}\n`);
    return 0;
  }
  const { FAMILIES, findServerPrograms } = await import('./stage/programs.mjs');
  const { play } = await import('./play.mjs');
  const { toTable } = await import('./table.mjs');
  requireKnown(
    'scene',
    names,
    SCENES.map((scene) => scene.name),
  );
  if (server !== undefined) requireKnown('server', [server], FAMILIES);

  const began = performance.now();
  say(`seed ${seed}`);
  const programs = await findServerPrograms();
  const wanted = FAMILIES.filter((family) => (server === undefined ? long || family === 'mariadb' : family === server));
  const inForm = SCENES.filter(({ longOnly = false }) => long || !longOnly);
  // Also of a scene that is played alone: with its seed it does again what it did among the others.
  const share = (long ? SECONDS.long : SECONDS.short) / inForm.reduce((sum, { weight = 1 }) => sum + weight, 0);
  const chosen = names.length === 0 ? inForm : SCENES.filter(({ name }) => names.includes(name));

  /** @type {import('./play.mjs').Played[]} */
  const all = [];
  for (const family of wanted) {
    if (programs.has(family)) continue;
    const lacks = `there is no ${family} here`;
    say(`${lacks}; its scenes are left out`);
    if (long) all.push(leftOut('all scenes', family, seed, lacks));
  }
  mkdirSync(FOLDER, { recursive: true });
  for (const scene of chosen) {
    for (const family of wanted) {
      const program = programs.get(family);
      if (program === undefined || scene.families?.includes(family) === false) continue;
      const lacks = scene.lacks?.();
      if (lacks !== undefined) {
        say(`${scene.name} CAN NOT BE PLAYED HERE: ${lacks}`);
        if (long) all.push(leftOut(scene.name, family, seed, lacks));
        continue;
      }
      const seconds = Math.max(LEAST_SECONDS, (share * (scene.weight ?? 1)) / (long ? FAMILIES.length : 1));
      const folder = join(FOLDER, `${scene.name}-${family}-${seed}`);
      const template = templateOf(family);
      say(`${scene.name} on ${family} ${program.version}: ${scene.title}`);
      const played = await play(
        scene,
        { name: scene.name, seed, seconds, long, family, program, folder, template, keep, say },
        onStage,
      );
      all.push(played);
      tell(played, folder, long);
    }
  }
  for (const family of FAMILIES) rmSync(templateOf(family), { recursive: true, force: true });
  process.stdout.write(`${toTable(all)}\n`);
  say(`all of it took ${toMinutes(performance.now() - began)}`);
  return all.length > 0 && all.every(({ wrong }) => wrong.length === 0) ? 0 : 1;
});

/**
 * Somebody has had enough: whatever a scene has started ends, and nothing is kept. Were this not to come to its end, or
 * were we killed, the guard would end it all the same.
 *
 * @param {number} code
 */
async function endEarly(code) {
  setTimeout(() => process.exit(code), END_DEADLINE_MS).unref();
  const { stage } = onStage;
  await stage?.close();
  if (stage !== undefined) rmSync(stage.folder, { recursive: true, force: true, maxRetries: 10 });
  for (const family of ['mariadb', 'mysql']) rmSync(templateOf(family), { recursive: true, force: true });
  process.exit(code);
}

/** @param {number} ms */
function toMinutes(ms) {
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/**
 * The long form is to prove all of it: a scene that is left out has failed.
 *
 * @param {string} scene
 * @param {string} server
 * @param {number} seed
 * @param {string} lacks
 * @returns {import('./play.mjs').Played}
 */
const leftOut = (scene, server, seed, lacks) => ({
  ...{ scene, server, seed, faults: 0, jobs: undefined, lost: undefined, doubled: undefined },
  ...{ recoveryMs: undefined, seconds: 0 },
  wrong: [lacks],
});

/**
 * @param {import('./play.mjs').Played} played
 * @param {string} folder
 * @param {boolean} long
 */
function tell({ scene, server, seed, wrong, seconds }, folder, long) {
  if (wrong.length === 0) return say(`${scene} on ${server}: held (${seconds.toFixed(0)} s)`);
  say(`${scene} on ${server}: FAILED\n    ${wrong.join('\n    ')}`);
  say(`what it left is in ${folder}`);
  say(`again: npm run test:faults -- --scene ${scene} --server ${server} --seed ${seed}${long ? ' --long' : ''}`);
}

function readArguments() {
  const values = readOptions(OPTIONS);
  if (values.seed !== undefined && !/^\d{1,9}$/.test(values.seed))
    throw new Refusal(`--seed '${values.seed}' is no whole number of at most nine digits`);
  return { ...values, seed: Number(values.seed ?? randomInt(1, 1_000_000)) };
}
