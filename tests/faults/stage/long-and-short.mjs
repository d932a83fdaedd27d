/** Runs that begin and end all the while, beside long ones. @type {NonNullable<import('./fleet.mjs').FleetOptions['each']>} */
export const longAndShort = (number) => ({ args: ['--max-time', number % 3 === 0 ? '20s' : '4s'] });

/**
 * Jobs of every kind, for what strikes the server. Poison: for suspects, each in a process of its own.
 *
 * @type {Pick<import('./producers.mjs').ProducerOptions, 'mix' | 'jobsPerSecond' | 'payloadOf'>}
 */
export const EVERY_KIND = {
  mix: {
    noop: 6,
    result: 3,
    slow: 1,
    'effect.complete': 4,
    'effect.save': 4,
    retry: 1,
    fail: 0.2,
    once: 0.3,
    poison: 0.01,
  },
  jobsPerSecond: 150,
  payloadOf: (type, choice) => (type.startsWith('effect') ? { ms: choice.int(0, 150) } : {}),
};
