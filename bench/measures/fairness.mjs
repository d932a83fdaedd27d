import { withDatabase } from './databases.mjs';
import { insertRows } from './insert-rows.mjs';
import { runArguments, startRowlock } from './rowlock-process.mjs';
import { until, untilRunsAreIdle } from './until.mjs';

const RUNS = 8;
const JOBS = 80;
const FEW_JOBS = 24;
const JOB_MS = 1_000;
const DEFAULT_CONCURRENCY = 10;

const SLEEP = { job_type: "'bench.sleep'", payload: `'{"ms": ${JOB_MS}}'` };

/**
 * Slow jobs must not pay for fast ones: eight runs share jobs of one second. Evenly shared they would all have ended
 * after `jobs / (runs × concurrency)` seconds, rounded up.
 *
 * @type {import('../samples.mjs').Measure}
 */
export const measure = {
  name: 'fairness',
  async run({ urls, quick }) {
    const each = quick ? FEW_JOBS : JOBS;
    return [
      ...(await share(urls.mariadb, 'default concurrency', { jobs: JOBS })),
      // Each run takes a second helping: whoever takes more than it can start keeps it from the others.
      ...(await share(urls.mariadb, 'default concurrency, twice as many jobs', { jobs: 2 * JOBS })),
      ...(await share(urls.mariadb, 'concurrency 1', { jobs: each, concurrency: 1 })),
      // As eight lines of one crontab: on two cores the last is up when the first takes its second helping.
      ...(await share(urls.mariadb, 'default concurrency, runs that are started after the jobs', {
        jobs: JOBS,
        waiting: false,
      })),
    ];
  },
};

/**
 * @param {string} serverUrl
 * @param {string} how
 * @param {object} options
 * @param {number} options.jobs
 * @param {number} [options.concurrency]
 * @param {boolean} [options.waiting] the runs are there, idle, when the jobs come, and not only about to start
 * @returns {Promise<import('../samples.mjs').Sample[]>}
 */
async function share(serverUrl, how, { jobs, concurrency = DEFAULT_CONCURRENCY, waiting = true }) {
  const { seconds, counts } = await withDatabase(serverUrl, async ({ url, connection }) => {
    if (!waiting) await insertRows(connection, jobs, SLEEP);
    const options = ['--max-runs', String(RUNS), '--keep-alive', '60s'];
    if (concurrency !== DEFAULT_CONCURRENCY) options.push('--concurrency', String(concurrency));
    const runs = Array.from({ length: RUNS }, () => startRowlock(runArguments(options), url));
    try {
      if (waiting) {
        await untilRunsAreIdle(connection, RUNS);
        await insertRows(connection, jobs, SLEEP);
      }
      return await untilDone(connection, jobs);
    } finally {
      for (const run of runs) run.signal('SIGTERM');
      for (const { ended } of runs) await ended;
    }
  });
  const evenly = (Math.ceil(jobs / (RUNS * concurrency)) * JOB_MS) / 1000;
  const of = { measure: 'fairness', contender: 'rowlock', server: 'mariadb' };
  return [
    // Runs that come up one after the other cannot share evenly: what they take is told, and held against nothing.
    waiting
      ? { ...of, variant: `${how}: later than evenly shared`, value: seconds - evenly, unit: 's' }
      : { ...of, variant: `${how}: from the first claim to the last end`, value: seconds, unit: 's' },
    { ...of, variant: `${how}: jobs of the busiest run`, value: Math.max(...counts), unit: `of ${jobs}` },
    { ...of, variant: `${how}: jobs of the least busy run`, value: Math.min(...counts), unit: `of ${jobs}` },
  ];
}

/**
 * @param {import('mysql2/promise').Connection} connection
 * @param {number} jobs
 * @returns {Promise<{ seconds: number, counts: number[] }>} from the first claim to the last job's end; and the jobs
 * of each run
 */
async function untilDone(connection, jobs) {
  await until(`${jobs} jobs are completed`, async () => {
    const [rows] = await connection.query("SELECT COUNT(*) AS done FROM background_jobs WHERE status = 'completed'");
    return Number(/** @type {{ done: number }[]} */ (rows)[0]?.done) === jobs;
  });
  const [times] = await connection.query(
    'SELECT TIMESTAMPDIFF(MICROSECOND, MIN(started_at), MAX(processed_at)) / 1000000 AS seconds FROM background_jobs',
  );
  const [byRun] = await connection.query(
    'SELECT COUNT(j.id) AS jobs FROM background_job_runs AS r LEFT JOIN background_jobs AS j ON j.run_id = r.id GROUP BY r.id',
  );
  return {
    seconds: Number(/** @type {{ seconds: string }[]} */ (times)[0]?.seconds),
    counts: /** @type {{ jobs: number }[]} */ (byRun).map((row) => Number(row.jobs)),
  };
}
