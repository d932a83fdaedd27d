import { setTimeout as pause } from 'node:timers/promises';
import { dealSteps, Hand } from '../stage/lane.mjs';
import { commitAfter, statement } from '../stage/proxy.mjs';
import { Late, until } from '../stage/until.mjs';

/** @typedef {import('../stage/proxy.mjs').Passing} Passing */

/** One for each place of the fleet, more or less: some runs are struck, and others are not. */
const PROXIES = 3;

/** After five leases without an answer a run gives up. */
const LEASE_MS = 2_000;

/**
 * From this statement on one connection is silent, and it stays so. Whoever waits for an answer gives it up after 30 s,
 * the heartbeat after a quarter of a lease.
 * @type {Record<string, (passing: Passing) => boolean>}
 */
const PLACES = {
  'the settings of a new connection': statement('set_session'),
  'the record of a run': statement('insert_run'),
  'the taking of a slot': statement('take_slot'),
  'a look for work': statement('find_paused_queues'),
  'the lock of a claim': statement('claim_lane'),
  'the COMMIT of a claim': commitAfter('count_claimed'),
  'the COMMIT of a settle': commitAfter('count_outcomes'),
  'the lock of a save': statement('lock_job'),
  'the COMMIT of a save': commitAfter('save_checkpoint'),
  'the close of a run': statement('close_run'),
};

const RENEWAL = { 'the renewal of a lease': statement('renew_run') };

const PATIENCE_MS = 3_000;

/** The long form goes on for so much longer, at most, until one connection was silent from each place on. */
const OVERTIME_MS = 120_000;

/** 20 s of --max-time, and three statements, one after the other, that are given up after 30 s. */
const LONGEST_RUN_MS = 120_000;

/** @type {import('./scene.mjs').Scene} */
export const scene = {
  name: 'black-hole',
  title:
    'the network swallows what is sent and nobody is told: less than a lease, more than one, more than five; one connection or all',
  weight: 2,
  async run(stage) {
    stage.expect.ends.longestMs = LONGEST_RUN_MS;
    const random = stage.random.fork('silence');
    stage.leaseMs = LEASE_MS;
    const proxies = await Promise.all(Array.from({ length: PROXIES }, () => stage.openProxy()));
    const urls = proxies.map(({ url }) => stage.database.url('worker', url));
    const fleet = stage.startFleet({ size: 4, each: (number) => ({ url: urls[number % PROXIES] ?? '' }) });
    stage.startProducers({
      mix: { noop: 6, result: 2, slow: 1, 'effect.complete': 4, 'effect.save': 4, retry: 1 },
      jobsPerSecond: 80,
    });
    const places = Object.entries(stage.isLong ? { ...PLACES, ...RENEWAL } : RENEWAL);
    const [hand = new Hand([])] = dealSteps(
      places.map(([name, match]) => ({ name, match })),
      1,
      random,
    );
    await Promise.all([
      swallowAll(stage, proxies, random.fork('all')),
      swallowOne(stage, hand, proxies, random.fork('one')),
    ]);
    for (const proxy of proxies) proxy.heal();
    if (hand.left.length > 0) stage.say(`not struck: ${hand.left.join(', ')}`);
    if (stage.isLong && hand.left.length > 0) throw new Late(`not struck: ${hand.left.join(', ')}`);
    const struck = fleet.live.map(({ number }) => number);
    await until(
      'each run that was struck ends by itself',
      () => !fleet.live.some(({ number }) => struck.includes(number)),
      {
        deadlineMs: LONGEST_RUN_MS,
        everyMs: 250,
      },
    );
    await stage.comeToRest();
  },
};

/**
 * Everything between some runs and the server, old connections and new ones. Those that are open then stay silent.
 *
 * @param {import('../stage/stage.mjs').Stage} stage
 * @param {readonly import('../stage/proxy.mjs').MeddlingProxy[]} proxies
 * @param {import('../seeded.mjs').Seeded} random
 */
async function swallowAll(stage, proxies, random) {
  while (stage.hasTime) {
    // What is healed before five leases are over costs a run the 30 s of a statement: the short form has no time for that.
    const leases = stage.isLong ? (random.pick([0.5, 1.5, 3, 7, 9]) ?? 1) : 6;
    const proxy = random.pick(proxies);
    const held = await stage.readHeld();
    proxy?.swallow();
    await pause(leases * LEASE_MS);
    proxy?.heal();
    stage.faults.note(`silence for ${leases} leases`, held);
    await pause(random.int(500, 4_000));
  }
}

/**
 * @param {import('../stage/stage.mjs').Stage} stage
 * @param {Hand<{ name: string, match: (passing: Passing) => boolean }>} hand
 * @param {readonly import('../stage/proxy.mjs').MeddlingProxy[]} proxies
 * @param {import('../seeded.mjs').Seeded} random
 */
async function swallowOne(stage, hand, proxies, random) {
  while (stage.hasTimeFor(() => !stage.isLong || hand.left.length === 0, OVERTIME_MS)) {
    await pause(random.int(500, 4_000));
    const { name, match } = hand.next({ leftOnly: !stage.hasTime });
    const proxy = random.pick(proxies);
    // Most of the places come by at the start of a run, and that on any way.
    const traps = (stage.hasTime ? [proxy] : proxies).map((one) => one?.trap(match, 'swallow'));
    const caught = await Promise.race([...traps.map((trap) => trap?.caught), pause(PATIENCE_MS)]);
    if (caught !== undefined) {
      hand.met(name);
      stage.faults.note(`silence from ${name} on`, await stage.readHeld());
    }
    for (const trap of traps) trap?.remove();
  }
}
