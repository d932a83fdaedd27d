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
  // Of work(): the next batch at once while batches come full; the poll is the shortest that it takes. Four workers in a
  // process drain 16,900 jobs/s, two 14,000, one 10,400.
  'pg-boss': { batchSize: 500, localConcurrency: 4, burstWhenBatchFull: true, pollingIntervalSeconds: 0.5 },
  // Of Worker: each job in hand is a round trip of its own, so a hundred are under way.
  bullmq: { concurrency: 100 },
  // Jobs in the worker's own process, with no thread or process between, as its engine's documentation has it; 100 at once
  // gave 115 jobs/s where 10 at once, its default, gave 70, and 30 gave 72.
  sidequest: {
    maxConcurrentJobs: 100,
    jobPollingInterval: 10,
    fork: false,
    runner: /** @type {const} */ ('inline'),
  },
};
