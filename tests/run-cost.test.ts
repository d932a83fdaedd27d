import { numbers } from './support/prune';
import { startTap, type Tap } from './support/tap';
import { openWorkshop, type Workshop } from './support/workshop';

let shop: Workshop;

beforeAll(async () => {
  shop = await openWorkshop('run-jobs.js');
});

beforeEach(() => shop.clear());

const SILENT_SUCCESS = { code: 0, signal: null, stdout: '', stderr: '' };

/** A run to its end, and what it has sent. */
async function tapRun(args: string[] = []): Promise<Tap> {
  const tap = await startTap(shop.db.urls.worker);
  expect(await shop.run(args, { DATABASE_URL: tap.url })).toEqual(SILENT_SUCCESS);
  await tap.close();
  return tap;
}

const count = (sent: readonly string[], ...names: string[]): number =>
  sent.filter((name) => names.includes(name)).length;

/** What each transaction has sent, by the first statement in it. */
function groupTransactions({ connections }: Tap): Record<string, string[][]> {
  const groups: Record<string, string[][]> = {};
  for (const sent of connections) {
    let begin = sent.indexOf('START TRANSACTION');
    while (begin >= 0) {
      const end = sent.indexOf('COMMIT', begin);
      const inside = sent.slice(begin + 1, end);
      const [first = ''] = inside;
      groups[first] = [...(groups[first] ?? []), inside];
      begin = sent.indexOf('START TRANSACTION', begin + 1);
    }
  }
  return groups;
}

/** Each of these is a round trip, and cron pays for it every minute: who adds one says so here. */
const BEGIN = ['set_session', 'set_isolation', 'list_migrations', 'read_server', 'insert_run'];
const RESCUE = ['START TRANSACTION', 'find_expired_runs', 'COMMIT', 'find_orphaned_jobs'];
const LOOK = ['find_paused_queues', 'find_next_lane'];
const BESIDE = 'count_jobs_beside';

/** Sent as long as something takes, or once a second: how often depends on the machine. */
const BY_THE_CLOCK = [...LOOK, BESIDE, 'renew_run', 'find_held_jobs'];

const withoutClock = (sent: readonly string[]): string[] => sent.filter((name) => !BY_THE_CLOCK.includes(name));

describe('a run that finds nothing', () => {
  test('asks this, on one connection', async () => {
    const { connections, sent } = await tapRun();
    expect(connections).toHaveLength(1);
    expect(sent).toEqual([...BEGIN, ...RESCUE, 'take_slot', BESIDE, ...LOOK, 'close_run']);
  });

  test('asks no more when 5,000 jobs are due later, but for the lanes they are in', async () => {
    await shop.db.pool.query(
      `INSERT INTO background_jobs (job_type, queue, priority, run_at)
       SELECT 'echo', CONCAT('later ', n % 5), n % 3, NOW(3) + INTERVAL 1 DAY FROM ${numbers(5_000)}`,
    );
    const { sent } = await tapRun();
    expect(count(sent, 'find_paused_queues')).toBe(1);
    expect(count(sent, 'find_next_lane')).toBe(15 + 1);
    expect(withoutClock(sent)).toEqual([...BEGIN, ...RESCUE, 'take_slot', 'close_run']);
  });

  test('since another run has the host, asks this', async () => {
    await shop.run();
    const open = `slot = 0, finished_at = NULL, lease_expires_at = '2037-01-01'`;
    await shop.db.pool.query(`UPDATE background_job_runs SET ${open}`);
    const { connections } = await tapRun();
    expect(connections).toEqual([[...BEGIN, ...RESCUE, 'take_slot', 'close_run', 'find_starvation']]);
  });
});

test('--keep-alive: each poll is two round trips, five a second at most', async () => {
  const SECONDS = 2;
  const { sent, connections } = await tapRun(['--keep-alive', `${SECONDS}s`]);
  expect(connections).toHaveLength(1);
  const whileIdle = sent.slice(sent.indexOf('take_slot') + 1, sent.indexOf('close_run'));
  const polls = count(whileIdle, 'find_next_lane');
  expect({ polls, few: polls <= 5 * SECONDS + 2 }).toMatchObject({ few: true });
  expect(polls).toBeGreaterThan(1);
  expect(whileIdle.filter((name) => name !== BESIDE)).toEqual(Array(polls).fill(LOOK).flat());
  // What the jobs of earlier runs take is asked once a second, and before the first look.
  expect(count(whileIdle, BESIDE)).toBeLessThanOrEqual(2 + SECONDS);
});

describe('a drain', () => {
  const JOBS = 5_000;

  test('of 5,000 jobs takes a statement for every ten, and a commit for every forty, at most', async () => {
    await shop.addMany(JOBS, 'echo');
    const tap = await tapRun();
    const [summary] = await shop.rows(
      `SELECT COUNT(*) AS jobs, SUM(status = 'completed' AND attempts = 1) AS completed FROM background_jobs`,
    );
    expect(summary).toEqual({ jobs: JOBS, completed: String(JOBS) });

    const { claim_lane: claims = [], settle_jobs: settles = [], ...others } = groupTransactions(tap);
    const full = withoutDry(claims);
    expect(full).toEqual(full.map(() => ['claim_lane', 'mark_claimed', 'count_claimed']));
    expect(settles).toEqual(settles.map(() => ['settle_jobs', 'count_outcomes']));
    expect(Object.keys(others)).toEqual(['find_expired_runs']);

    // Measured on an idle machine: 16 or 17 of each; 181 to 195 statements in all, and 35 to 38 commits.
    const commits = full.length + settles.length;
    expect({ commits, few: commits <= JOBS / 40 }).toMatchObject({ few: true });
    const statements = withoutClock(tap.sent).length - 3 * (claims.length - full.length);
    expect({ statements, few: statements <= JOBS / 10 }).toMatchObject({ few: true });
    // Those of the run, and the heartbeat's.
    expect(tap.connections.length).toBeLessThanOrEqual(4 + 1);
  }, 60_000);

  test('of one job takes one claim and one settle more than a run that finds nothing', async () => {
    await shop.add('echo');
    const tap = await tapRun();
    const { claim_lane: claims = [], settle_jobs: settles = [] } = groupTransactions(tap);
    expect(withoutDry(claims)).toHaveLength(1);
    expect(settles).toHaveLength(1);
    // Each connection begins with two of its own; the heartbeat's may not have come to them.
    const withoutConnect = withoutClock(tap.sent).filter((name) => !BEGIN.slice(0, 2).includes(name));
    const idle = BEGIN.slice(2).length + RESCUE.length + 2;
    const dry = 3 * (claims.length - 1);
    expect(withoutConnect).toHaveLength(idle + dry + 5 + 4);
  });

  /** Those that claimed something. One that finds nothing commits at once, and the server has nothing to flush. */
  const withoutDry = (claims: string[][]): string[][] => claims.filter(({ length }) => length > 1);
});
