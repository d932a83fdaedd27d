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
