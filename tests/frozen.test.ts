import { countJobs, expireLeases, readRun } from './support/life';
import type { Ended, Running } from './support/rowlock';
import { type Sessions, watchSessions } from './support/sessions';
import { dumpRows } from './support/tables';
import { until } from './support/until';
import { openWorkshop, type Workshop } from './support/workshop';

/** Where a run is when it is frozen. */
interface Place {
  type: string;
  payload: unknown;
  args?: string[];
  columns?: Record<string, unknown>;
  /** Brings the frozen-to-be run there; what it answers is called once the run is frozen. */
  reach(shop: Workshop, sessions: Sessions, worker: Running): Promise<() => Promise<void> | void>;
}

interface Story {
  shop: Workshop;
  job: Record<string, unknown>;
  frozen: Ended;
  frozenRun: Record<string, unknown>;
  /** Before it woke, and after it had ended. */
  before: unknown;
  after: unknown;
}

const noted = (shop: Workshop, line: string | RegExp) =>
  until(
    () => shop.notes().some((note) => (typeof line === 'string' ? note === line : line.test(note))),
    `a note: ${line}`,
  );

/** Its statement on the run's own row waits until the run is frozen: whatever it does is done but for the COMMIT. */
async function haltAtRunRow(sessions: Sessions, pid: number, statement: string, before: () => unknown) {
  const { release } = await sessions.hold('SELECT * FROM background_job_runs WHERE pid = ? FOR UPDATE', [pid]);
  await before();
  await sessions.waitFor(statement);
  return release;
}

const haltAtGate: Place['reach'] = async (shop, sessions, _worker) => {
  const { release } = await sessions.hold(`SELECT * FROM gates WHERE name = 'gate' FOR UPDATE`);
  await shop.db.pool.query('UPDATE background_jobs SET run_at = NOW(3)');
  await sessions.waitFor('UPDATE gates');
  return release;
};

const LATER = '2037-01-01';
const WAITING = ['--keep-alive', '1m', '--poll', '20ms'];

const PLACES: Record<string, Place> = {
  'while a job runs': {
    type: 'gated',
    payload: 'door',
    async reach(shop) {
      await noted(shop, 'door began');
      return () => shop.openGate('door');
    },
  },
  'while a suspect runs in its own process, which goes on': {
    type: 'gated',
    payload: 'door',
    columns: { crashes: 1 },
    async reach(shop) {
      await noted(shop, 'door began');
      return async () => {
        shop.openGate('door');
        await noted(shop, 'door ended');
      };
    },
  },
  'inside its claim’s transaction': {
    type: 'work',
    payload: 0,
    args: WAITING,
    columns: { run_at: LATER },
    async reach(shop, sessions, worker) {
      await until(async () => (await readRun(shop, worker.pid))['slot'] === 0, 'the run waits for jobs');
      return haltAtRunRow(sessions, worker.pid, 'SET claimed = claimed', () =>
        shop.db.pool.query('UPDATE background_jobs SET run_at = NOW(3)'),
      );
    },
  },
  'inside a settle’s transaction': {
    type: 'gated',
    payload: 'door',
    async reach(shop, sessions, worker) {
      await noted(shop, 'door began');
      return haltAtRunRow(sessions, worker.pid, 'SET completed = completed', () => shop.openGate('door'));
    },
  },
  'inside ctx.complete': {
    type: 'complete',
    payload: 'gate',
    args: WAITING,
    columns: { run_at: LATER },
    reach: haltAtGate,
  },
  'inside ctx.save': { type: 'save', payload: 'gate', args: WAITING, columns: { run_at: LATER }, reach: haltAtGate },
};

async function openWithEffects(): Promise<Workshop> {
  const shop = await openWorkshop('fault-jobs.js');
  await shop.db.pool.query('CREATE TABLE effects (id INT AUTO_INCREMENT PRIMARY KEY, n INT)');
  await shop.db.users.allow('worker', 'INSERT', 'effects');
  await shop.db.pool.query('CREATE TABLE gates (name VARCHAR(20) PRIMARY KEY, passed INT NOT NULL DEFAULT 0)');
  await shop.db.users.allow('worker', 'SELECT, UPDATE', 'gates');
  await shop.db.pool.query(`INSERT INTO gates (name) VALUES ('gate')`);
  return shop;
}

/** Freezes a run at a place, lets another close it and do its job, and wakes it. */
async function tell({ type, payload, args = [], columns = {}, reach }: Place): Promise<Story> {
  const shop = await openWithEffects();
  const sessions = await watchSessions(shop.db);
  const id = await shop.add(type, payload, columns);
  const worker = shop.start(['--lease', '1s', ...args]);
  const frozenNow = await reach(shop, sessions, worker);
  worker.child.kill('SIGSTOP');
  await frozenNow();
  await until(
    async () => (await sessions.open()).length === 0,
    'the server ends the silent sessions and frees their locks',
  );
  await expireLeases(shop);
  await shop.run();
  const before = await dumpRows(shop.db.pool);
  worker.child.kill('SIGCONT');
  const frozen = await worker.ended;
  const after = await dumpRows(shop.db.pool);
  return { shop, job: await shop.job(id), frozen, frozenRun: await readRun(shop, worker.pid), before, after };
}

/** Freezes a run for longer than five leases; nobody closes it. */
async function freezeUnnoticed() {
  const shop = await openWithEffects();
  const sessions = await watchSessions(shop.db);
  const id = await shop.add('gated', 'door');
  const worker = shop.start(['--lease', '1s']);
  await noted(shop, 'door began');
  worker.child.kill('SIGSTOP');
  await until(async () => (await sessions.open()).length === 0, 'the server ends the silent sessions');
  await expireLeases(shop);
  worker.child.kill('SIGCONT');
  await until(
    async () => (await shop.rows('SELECT 1 FROM background_job_runs WHERE lease_expires_at > NOW(3)')).length > 0,
    'it renews its lease',
  );
  shop.openGate('door');
  return { ended: await worker.ended, job: await shop.job(id) };
}

// The server's patience with a silent session is five seconds at least: all of them wait for it together.
const stories = new Map<string, PromiseSettledResult<Story>>();
let unnoticed: PromiseSettledResult<Awaited<ReturnType<typeof freezeUnnoticed>>>;

beforeAll(async () => {
  const names = Object.keys(PLACES);
  const told = Promise.allSettled(Object.values(PLACES).map(tell));
  [unnoticed] = await Promise.allSettled([freezeUnnoticed()]);
  for (const [index, story] of (await told).entries()) stories.set(names[index] ?? '', story);
}, 60_000);

const tellOrThrow = <T>(story: PromiseSettledResult<T> | undefined): T => {
  if (story?.status === 'fulfilled') return story.value;
  throw story?.reason;
};

describe.each(Object.keys(PLACES))('a run that was frozen %s and closed by another', (name) => {
  const read = () => tellOrThrow(stories.get(name));

  test('changes no row when it wakes, and exits 75', () => {
    const { frozen, frozenRun, before, after } = read();
    expect(after).toEqual(before);
    expect(frozen).toMatchObject({ code: 75, signal: null, stdout: '' });
    expect(frozen.stderr).toContain(`run ${frozenRun['id']} lost its lease`);
    expect(frozen.stderr).not.toMatch(/^ {4}at /m);
    expect(frozenRun).toMatchObject({ outcome: 'lost', slot: null, completed: 0, failed: 0, retried: 0, released: 0 });
  });

  test('its job is completed once, by the other run, and what it wrote stands once', async () => {
    const { shop, job, frozenRun } = read();
    expect(job).toMatchObject({ status: 'completed', attempts: 1, crashes: name.includes('claim') ? 0 : 1 });
    expect(job['run_id']).not.toBe(frozenRun['id']);
    const writes = ['complete', 'save'].includes(String(job['job_type']));
    expect(await shop.rows('SELECT n FROM effects')).toEqual(writes ? [{ n: 1 }] : []);
    expect(await countJobs(shop, '1 = 1')).toBe(1);
    if (job['job_type'] === 'save') expect(job).toMatchObject({ saves: 1, checkpoint: '"saved"', result: '"saved"' });
  });
});

test('a run that was frozen for many leases, and that nobody has closed, goes on', () => {
  const { ended, job } = tellOrThrow(unnoticed);
  expect(ended).toMatchObject({ code: 0, signal: null, stdout: '' });
  // The driver itself may have its word on the session that the server has ended.
  expect(ended.stderr).not.toContain('rowlock:');
  expect(job).toMatchObject({ status: 'completed', attempts: 1, crashes: 0 });
});
