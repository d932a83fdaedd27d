/** What each contender is given beyond its defaults, by the names of its own options. */
export const TUNING = {
  // Its page on performance, for the figures that it shows.
  'graphile-worker': {
    concurrentJobs: 24,
    maxPoolSize: 25,
    localQueue: { size: 500 },
    completeJobBatchDelay: 0,
    failJobBatchDelay: 0,
  },
  // Of work(): the next batch at once while batches come full; the poll is the shortest that it takes. Of one, two and four
  // workers in a process, four had the best median drain.
  'pg-boss': { batchSize: 500, localConcurrency: 4, burstWhenBatchFull: true, pollingIntervalSeconds: 0.5 },
  // Of Worker: each job in hand is a round trip of its own, so a hundred are under way.
  bullmq: { concurrency: 100 },
  // Jobs in the worker's own process, with no thread or process between, as its engine's documentation describes it. A
  // hundred at once, as BullMQ has: it was faster than ten and than thirty, in one trial each.
  sidequest: {
    maxConcurrentJobs: 100,
    jobPollingInterval: 10,
    fork: false,
    runner: /** @type {const} */ ('inline'),
  },
};

/**
 * What each contender's workers find in their environment, beyond what all have.
 *
 * @type {Readonly<Record<string, Record<string, string>>>}
 */
export const ENVIRONMENT = {
  // No line for each job that succeeded, as its own performance test has it: nobody else here writes one.
  'graphile-worker': { NO_LOG_SUCCESS: '1' },
};
