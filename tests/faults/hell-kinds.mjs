/**
 * The functions of hell.cjs, by what becomes of their jobs.
 *
 * @type {Record<string, readonly string[]>}
 */
const GROUPS = {
  dies: ['abort', 'kill', 'segfault', 'exit', 'memory', 'uncaught'],
  fails: ['exit', 'exit.tick', 'exit.timer', 'rejection', 'exception', 'throws', 'deaf', 'spin', 'microtasks'],
  leaves: [
    'timers',
    'sockets',
    'exit',
    'rejection',
    'exception',
    'kill',
    'abort',
    'spin',
    'listeners',
    'folder',
    'environment',
    'clocks',
  ],
  odd: ['thenable', 'result', 'context', 'complete'],
};

/** @type {Record<string, import('./kinds.mjs').Kind>} */
export const HELL_KINDS = Object.fromEntries(
  Object.entries(GROUPS).flatMap(([group, names]) =>
    names.map((name) => [
      `${group}.${name}`,
      {
        ends: group === 'dies' || group === 'fails' ? 'failed' : 'completed',
        effects: group === 'odd' && name === 'complete' ? ['complete'] : [],
      },
    ]),
  ),
);

/** What an exception that nobody catches ends a process by. */
const UNCAUGHT = 1;

/**
 * What the functions of hell.cjs do to their runs, and what becomes of their jobs.
 *
 * @param {import('./check/readings.mjs').Expectations} expect
 */
export function expectHell({ kinds, ends }) {
  Object.assign(kinds, HELL_KINDS);
  for (const signal of /** @type {const} */ (['SIGKILL', 'SIGABRT', 'SIGSEGV'])) ends.signals.add(signal);
  ends.codes.add(UNCAUGHT);
  // Node's own, of what nobody was left to catch.
  ends.stacks = true;
}
