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
  // Of work(): the next batch at once while batches come full; the poll is the shortest that it takes. Four workers in
  // a process drained 16,900 jobs/s, two 14,000, one 10,400 (medians of 2, 4 and 4 runs with one process, machine busy).
  'pg-boss': { batchSize: 500, localConcurrency: 4, burstWhenBatchFull: true, pollingIntervalSeconds: 0.5 },
  // Of Worker: each job in hand is a round trip of its own, so a hundred are under way.
  bullmq: { concurrency: 100 },
  // Jobs in the worker's own process, with no thread or process between, as its engine's documentation
  // describes it. One run each on a busy machine, so no more than a hint: 115 jobs/s; 70 with 10 at once and a poll of 1 ms,
  // 72 with 30.
  sidequest: {
    maxConcurrentJobs: 100,
    jobPollingInterval: 10,
    fork: false,
    runner: /** @type {const} */ ('inline'),
  },
};
