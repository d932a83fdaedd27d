/**
 * Who takes part, and where. `url` finds its server; undefined: that server is not here.
 * @typedef {object} Entry
 * @property {string} name
 * @property {string} server
 * @property {(urls: import('../samples.mjs').Urls) => string | undefined} url
 * @property {number} [drainMs] it is stopped after this time, and its rate counts
 */

/** @type {readonly Entry[]} */
const ENTRIES = [
  { name: 'rowlock', server: 'mariadb', url: ({ mariadb }) => mariadb },
  { name: 'bare-loop', server: 'mariadb', url: ({ mariadb }) => mariadb },
  { name: 'sidequest', server: 'mariadb', url: ({ mariadb }) => mariadb, drainMs: 8_000 },
  { name: 'graphile-worker', server: 'postgres', url: ({ postgres }) => postgres },
  { name: 'pg-boss', server: 'postgres', url: ({ postgres }) => postgres },
  { name: 'bullmq', server: 'redis-everysec', url: ({ redisEverysec }) => redisEverysec },
  { name: 'bullmq', server: 'redis-always', url: ({ redisAlways }) => redisAlways },
  { name: 'rowlock', server: 'mysql', url: ({ mysql }) => mysql },
  { name: 'bare-loop', server: 'mysql', url: ({ mysql }) => mysql },
];

/** What the others are compared with. */
const OURS = ['rowlock', 'bare-loop'];

/** The names of all that there are. */
export const NAMES = [...new Set(ENTRIES.map(({ name }) => name))];

/**
 * Other queues than Rowlock, of those that take part.
 *
 * @param {import('../samples.mjs').Context} context
 * @returns {import('../targets.mjs').Peer[]}
 */
export const peersOf = (context) =>
  entriesOf(context)
    .filter(({ name }) => !OURS.includes(name))
    .map(({ name, server }) => ({ contender: name, server }));

/**
 * Those of a round, in an order that moves on by one with each round, and runs backwards in even ones: nobody always
 * comes first, and before each there is another one than in the round before.
 *
 * @param {import('../samples.mjs').Context} context
 * @returns {(Entry & { at: string })[]}
 */
export function entriesOf({ urls, round, contenders }) {
  const present = ENTRIES.flatMap((entry) => {
    const at = entry.url(urls);
    const isWanted = contenders.length === 0 || contenders.includes(entry.name);
    return at === undefined || !isWanted ? [] : [{ ...entry, at: placeOf(at) }];
  });
  const first = (round - 1) % Math.max(1, present.length);
  const inTurn = [...present.slice(first), ...present.slice(0, first)];
  return round % 2 === 0 ? inTurn.reverse() : inTurn;
}

/**
 * A database of the bench's own; Redis has numbers instead.
 *
 * @param {string} server
 */
function placeOf(server) {
  const url = new URL(server);
  if (url.protocol !== 'redis:') url.pathname = `/rowlock_bench_${process.pid}`;
  return url.href;
}
