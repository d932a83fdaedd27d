import { setTimeout as pause } from 'node:timers/promises';
import { dealSteps, Hand } from '../stage/lane.mjs';
import { commitAfter, statement } from '../stage/proxy.mjs';
import { Late } from '../stage/until.mjs';

/** @typedef {import('../stage/proxy.mjs').Passing} Passing */

/** One for each place of the fleet, more or less: what is seen on one is of one run, or of two. */
const PROXIES = 3;

const hasOutcomes = commitAfter('count_outcomes');
const hasLock = commitAfter('lock_job');

/** @param {Passing} passing */
const isSettle = (passing) => hasOutcomes(passing) && !hasLock(passing);

/** @param {Passing} passing */
const isComplete = (passing) => hasOutcomes(passing) && hasLock(passing);

/**
 * The COMMITs that come by all the while, and the statements with which a run looks whether one was done.
 * @type {Record<string, { match: (passing: Passing) => boolean, looks: readonly string[] }>}
 */
const BUSY = {
  claim: { match: commitAfter('count_claimed'), looks: ['lock_open_run'] },
  save: { match: commitAfter('save_checkpoint'), looks: ['lock_job'] },
  complete: { match: isComplete, looks: ['lock_job'] },
  settle: { match: isSettle, looks: ['complete_jobs', 'settle_jobs'] },
};

/**
 * What comes by when a run begins or ends, and when one has died.
 * @type {Record<string, (passing: Passing) => boolean>}
 */
const RARE = {
  'the COMMIT of a rescue': commitAfter('rescue_jobs'),
  'the COMMIT that closes a dead run': commitAfter('close_expired_runs'),
  'the record of a run': statement('insert_run'),
  'the taking of a slot': statement('take_slot'),
  'the giving up of a slot': statement('give_up_slot'),
  'the close of a run': statement('close_run'),
  'the renewal of a lease': statement('renew_run'),
};

/** What is not seen for this long is left for another time: the runs may just be looking after a kill, or another cut. */
const PATIENCE_MS = 3_000;

/** Pauses between two rare cuts: a run that is struck at its start does nothing, and shows little. */
const RARE_GAP_MS = { from: 500, to: 3_000 };

/** The longest that a COMMIT is under way: beyond a lease of 3 s, and beyond the 5 s after which the server ends its session. */
const LONGEST_WAY_MS = 7_000;

/** Between two kills, so that there is something to rescue. */
const KILL_EVERY_MS = 8_000;

/** A run claims for 5 s; a statement of another run's that is late may keep it waiting for locks. */
const LONGEST_RUN_MS = 60_000;

/** Of four. */
const BUSY_LEFT_IF_SHORT = 2;

/** It goes on for so much longer, at most, until each of them was struck, or so many in the short form. */
const OVERTIME_MS = 120_000;

/** @type {import('./scene.mjs').Scene} */
export const scene = {
  name: 'cut-commits',
  title:
    'the network is cut between COMMIT and its answer: of a claim, a save, a complete, a settle, a rescue; or COMMIT comes late',
  weight: 2,
  async run(stage) {
    stage.expect.ends.longestMs = LONGEST_RUN_MS;
    const random = stage.random.fork('cuts');
    const proxies = await Promise.all(Array.from({ length: PROXIES }, () => stage.openProxy()));
    const urls = proxies.map(({ url }) => stage.database.url('worker', url));
    const fleet = stage.startFleet({
      // Runs begin and end all the while: that is cut as well.
      args: ['--max-time', '5s'],
      each: (number) => ({ url: urls[number % PROXIES] ?? '' }),
    });
    stage.startProducers({
      mix: { noop: 6, result: 2, 'effect.complete': 4, 'effect.save': 4, retry: 1 },
      jobsPerSecond: 80,
    });
    const [busy = new Hand([])] = dealSteps(
      Object.entries(BUSY).map(([what, how]) => ({ name: `COMMIT of a ${what}`, ...how })),
      1,
      random,
    );
    const [rare = new Hand([])] = dealSteps(
      Object.entries(RARE).map(([name, match]) => ({ name, match })),
      1,
      random,
    );
    const left = () => [...busy.left, ...rare.left];
    // The short form has time for some of the busy ones.
    const isShown = () => (stage.isLong ? left().length === 0 : busy.left.length <= BUSY_LEFT_IF_SHORT);
    const goesOn = () => stage.hasTimeFor(isShown, OVERTIME_MS);
    await Promise.all([
      cutBusy(stage, goesOn, busy, proxies, random.fork('busy')),
      cutRare(stage, goesOn, rare, proxies, random.fork('rare')),
      killSome(stage, goesOn, fleet, random.fork('kills')),
    ]);
    for (const proxy of proxies) proxy.heal();
    if (left().length > 0) stage.say(`not struck: ${left().join(', ')}`);
    if (!isShown()) throw new Late(`not struck: ${left().join(', ')}`);
    await stage.comeToRest();
  },
};

/**
 * @param {import('../stage/stage.mjs').Stage} stage
 * @param {() => boolean} goesOn
 * @param {Hand<{ name: string, match: (passing: Passing) => boolean, looks: readonly string[] }>} hand
 * @param {readonly import('../stage/proxy.mjs').MeddlingProxy[]} proxies
 * @param {import('../seeded.mjs').Seeded} random
 */
async function cutBusy(stage, goesOn, hand, proxies, random) {
  for (let turn = 0; goesOn(); turn++) {
    const own = random.fork(`turn ${turn}`);
    // In turn: each of them is struck, also where there is little time.
    const { name, match, looks } = hand.next({ leftOnly: !stage.hasTime });
    const fate =
      own.pick(/** @type {const} */ (['cut', 'cut after', 'arrive late', 'arrive late', 'hold answer'])) ?? 'cut';
    const traps = proxies.map((proxy) => proxy.trap(match, fate));
    const found = await Promise.race([
      ...traps.map(({ caught }, index) => caught.then((one) => ({ one, proxy: proxies[index] }))),
      pause(PATIENCE_MS),
    ]);
    // The others may have caught theirs, too: they arrive now.
    for (const [index, trap] of traps.entries()) if (proxies[index] !== found?.proxy) trap.remove();
    if (found === undefined) {
      for (const trap of traps) trap.remove();
      continue;
    }
    const held = await stage.readHeld();
    const { one, proxy } = found;
    hand.met(name);
    if (fate === 'arrive late') {
      const isLookedUp = await waitForLook(proxy, looks, one.statement.connection, own.int(0, LONGEST_WAY_MS));
      one.release();
      stage.faults.note(`${name} arrives late${isLookedUp ? ', while it is looked up' : ''}`, held);
    } else {
      if (fate === 'hold answer') await pause(own.int(0, LONGEST_WAY_MS));
      one.release();
      stage.faults.note(`${name}: ${fate}`, held);
    }
    for (const trap of traps) trap.remove();
    await pause(own.int(20, 300));
  }
}

/**
 * Waits until another connection asks what became of it, or for this long.
 *
 * @param {import('../stage/proxy.mjs').MeddlingProxy | undefined} proxy
 * @param {readonly string[]} looks
 * @param {number} connection
 * @param {number} longestMs
 */
async function waitForLook(proxy, looks, connection, longestMs) {
  const isLook = looks.map(statement);
  const trap = proxy?.trap(
    (passing) => passing.connection !== connection && isLook.some((matches) => matches(passing)),
    'pass',
  );
  const seen = await Promise.race([trap?.caught, pause(longestMs)]);
  trap?.remove();
  return seen !== undefined;
}

/**
 * @param {import('../stage/stage.mjs').Stage} stage
 * @param {() => boolean} goesOn
 * @param {Hand<{ name: string, match: (passing: Passing) => boolean }>} hand
 * @param {readonly import('../stage/proxy.mjs').MeddlingProxy[]} proxies
 * @param {import('../seeded.mjs').Seeded} random
 */
async function cutRare(stage, goesOn, hand, proxies, random) {
  for (let turn = 0; goesOn(); turn++) {
    const own = random.fork(`turn ${turn}`);
    await pause(own.int(RARE_GAP_MS.from, RARE_GAP_MS.to));
    const { name, match } = hand.next({ leftOnly: !stage.hasTime });
    const fate = own.pick(/** @type {const} */ (['cut', 'cut after', 'arrive late'])) ?? 'cut';
    const traps = proxies.map((proxy) => proxy.trap(match, fate));
    const caught = await Promise.race([...traps.map((trap) => trap.caught), pause(PATIENCE_MS)]);
    if (caught !== undefined) {
      hand.met(name);
      stage.faults.note(`${name}: ${fate}`, await stage.readHeld());
      if (fate === 'arrive late') await pause(own.int(0, LONGEST_WAY_MS));
    }
    for (const trap of traps) trap.remove();
  }
}

/**
 * @param {import('../stage/stage.mjs').Stage} stage
 * @param {() => boolean} goesOn
 * @param {import('../stage/fleet.mjs').Fleet} fleet
 * @param {import('../seeded.mjs').Seeded} random
 */
async function killSome(stage, goesOn, fleet, random) {
  while (goesOn()) {
    await pause(random.int(KILL_EVERY_MS / 2, KILL_EVERY_MS * 1.5));
    const victim = random.pick(fleet.live);
    if (victim !== undefined) await stage.killRun(fleet, victim.number);
  }
}
