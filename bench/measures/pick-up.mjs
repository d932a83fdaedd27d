import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { startCountingProxy } from './counting-proxy.mjs';
import { listServers, withDatabase } from './databases.mjs';
import { findServerPid, readCpuMs } from './process-readings.mjs';
import { BENCH, runArguments, startRowlock } from './rowlock-process.mjs';
import { untilRunsAreIdle } from './until.mjs';

const ROWS = 60;
const QUICK_ROWS = 20;
const IDLE_MS = 5_000;
const QUICK_IDLE_MS = 2_000;

/**
 * Between two rows. The worker is idle again by then, and the difference is one `--poll`, so that no moment between two
 * polls is met more often than another.
 */
const SHORTEST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 450;

/** Longer than the measure takes; SIGTERM ends the run. */
const KEEP_ALIVE = '60s';

/** Statements of one poll follow each other at once; two polls are further apart. */
const BETWEEN_POLLS_MS = 50;

const NANOSECONDS_PER_MS = 1_000_000;

/**
 * From INSERT's commit to the first line of the function, on an idle machine, by a run with `--keep-alive` and the
 * default poll; and what the polling costs meanwhile.
 *
 * @type {import('../samples.mjs').Measure}
 */
export const measure = {
  name: 'pick-up',
  async run(context) {
    /** @type {import('../samples.mjs').Sample[]} */
    const samples = [];
    for (const { server, url } of listServers(context)) {
      const figures = await withDatabase(url, async (database) => ({
        ...(await measurePolling(database, context.quick ? QUICK_IDLE_MS : IDLE_MS)),
        ...(await measureDelays(database, context.quick ? QUICK_ROWS : ROWS)),
      }));
      for (const [variant, [value, unit]] of Object.entries(figures)) {
        samples.push({ measure: 'pick-up', contender: 'rowlock', server, variant, value, unit });
      }
    }
    return samples;
  },
};

/** @typedef {Record<string, [value: number, unit: string]>} Figures */

/**
 * What an idle run asks for and costs, seen from a proxy before the server.
 *
 * @param {import('./databases.mjs').BenchDatabase} database
 * @param {number} forMs
 * @returns {Promise<Figures>}
 */
async function measurePolling({ url, connection }, forMs) {
  const serverPid = await findServerPid(connection);
  const readServerMs = () => (serverPid === undefined ? 0 : readCpuMs(serverPid));
  const proxy = await startCountingProxy(url);
  try {
    const restingFrom = readServerMs();
    await pause(forMs / 2);
    const restingMs = (readServerMs() - restingFrom) * 2;
    const run = startPolling(proxy.url);
    try {
      await untilRunsAreIdle(connection, 1);
      const [from, workerFrom, serverFrom] = [performance.now(), readCpuMs(run.pid), readServerMs()];
      await pause(forMs);
      const [to, workerTo, serverTo] = [performance.now(), readCpuMs(run.pid), readServerMs()];
      const times = proxy.commands.filter((time) => time >= from && time < to);
      const polls = times.filter((time, index) => time - (times[index - 1] ?? from) > BETWEEN_POLLS_MS).length;
      const seconds = (to - from) / 1000;
      /** @type {Figures} */
      const figures = {
        polls: [polls / seconds, 'a second'],
        'statements while idle': [times.length / seconds, 'a second'],
        'CPU of the idle worker': [(workerTo - workerFrom) / seconds / 10, '%'],
      };
      if (serverPid !== undefined) {
        figures['CPU of the server that is polled'] = [(serverTo - serverFrom - restingMs) / seconds / 10, '%'];
      }
      return figures;
    } finally {
      run.signal('SIGTERM');
      await run.ended;
    }
  } finally {
    await proxy.close();
  }
}

/**
 * @param {import('./databases.mjs').BenchDatabase} database
 * @param {number} rows
 * @returns {Promise<Figures>}
 */
async function measureDelays({ url, connection }, rows) {
  const run = startPolling(url);
  /** @type {Map<number, bigint>} */
  const committed = new Map();
  try {
    await untilRunsAreIdle(connection, 1);
    for (let row = 0; row < rows; row++) {
      await pause(SHORTEST_PAUSE_MS + Math.random() * (LONGEST_PAUSE_MS - SHORTEST_PAUSE_MS));
      const [{ insertId }] = /** @type {[import('mysql2').ResultSetHeader, unknown]} */ (
        await connection.query("INSERT INTO background_jobs (job_type, payload) VALUES ('bench.pick-up', ?)", [
          JSON.stringify({ row }),
        ])
      );
      committed.set(insertId, process.hrtime.bigint());
    }
    await pause(LONGEST_PAUSE_MS);
  } finally {
    run.signal('SIGTERM');
    await run.ended;
  }
  const [started] = await connection.query(
    "SELECT id, JSON_UNQUOTE(JSON_EXTRACT(result, '$.at')) AS at FROM background_jobs WHERE status = 'completed'",
  );
  const delays = /** @type {{ id: number, at: string }[]} */ (started).flatMap(({ id, at }) => {
    const from = committed.get(id);
    // The function may have begun before the answer to INSERT was read.
    return from === undefined ? [] : [Math.max(0, Number(BigInt(at) - from) / NANOSECONDS_PER_MS)];
  });
  if (delays.length !== rows) throw new Error(`${delays.length} of ${rows} jobs were picked up`);
  return { p50: [quantile(delays, 0.5), 'ms'], p99: [quantile(delays, 0.99), 'ms'] };
}

/** @param {string} url */
const startPolling = (url) =>
  startRowlock(runArguments(['--keep-alive', KEEP_ALIVE], join(BENCH, 'measures', 'pick-up-jobs.mjs')), url);

/**
 * The smallest value that this share of them does not exceed.
 *
 * @param {readonly number[]} values
 * @param {number} share
 */
function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN;
}
