import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BroadcastBench, openBroadcastBench } from './support/broadcast';
import type { Running } from './support/rowlock';
import { rowlock } from './support/rowlock';
import { until } from './support/until';

let bench: BroadcastBench;
beforeAll(async () => {
  bench = await openBroadcastBench();
});
beforeEach(() => bench.clear());

jest.setTimeout(120_000); // each starts runs of its own, two or more of them

const TEMPLATE = { subject: 'Hello', text: '{{email}}' };
/** The mails are enqueued, in a queue of their own, and not sent. */
const FAN_OUT = ['--queue', 'default'];
const ORDER = { template: TEMPLATE, recipients: 'list.csv', queue: 'mail' };
const addressOf = (index: number) => `c${index}@example.org`;
const listOf = (indices: number[]) => ['email', ...indices.map(addressOf), ''].join('\n');
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);

const writeList = (text: string) => writeFileSync(join(bench.files, 'list.csv'), text);

/** A run of this broadcast that has enqueued its first thousand, and gets no further before `end` has ended it. */
async function endInSecondThousand(id: number, end: (run: Running) => unknown): Promise<void> {
  const digest = createHash('sha256').update(addressOf(1_500)).digest('hex').slice(0, 32);
  const other = await bench.db.pool.getConnection();
  await other.beginTransaction();
  await other.query("INSERT INTO background_jobs (job_type, unique_key) VALUES ('email.send', ?)", [
    `email.broadcast ${id} ${digest}`,
  ]);
  try {
    const run = bench.start(FAN_OUT);
    await until(async () => (await countMails()) === 1_000, 'the first thousand is there', { deadlineMs: 60_000 });
    await end(run);
    await other.rollback();
    await run.ended;
  } finally {
    other.destroy();
  }
}

async function countMails(): Promise<number> {
  const [rows] = await bench.db.pool.query("SELECT COUNT(*) AS n FROM background_jobs WHERE job_type = 'email.send'");
  return (rows as { n: number }[])[0]?.n ?? 0;
}

const killInSecondThousand = (id: number) => endInSecondThousand(id, kill);

async function kill(run: Running): Promise<void> {
  run.child.kill('SIGKILL');
  await run.ended;
  await bench.db.pool.query("UPDATE background_job_runs SET lease_expires_at = '2026-01-01' WHERE finished_at IS NULL");
}

const enqueued = async () => (await bench.mails()).map(({ payload }) => payload.to);

describe('a broadcast that is killed, with a thousand of its mails enqueued', () => {
  test('goes on behind them', async () => {
    writeList(listOf(upTo(2_500)));
    const id = await bench.add(ORDER);
    await killInSecondThousand(id);
    await bench.run(FAN_OUT);
    expect(await enqueued()).toEqual(upTo(2_500).map(addressOf));
    expect(await bench.job(id)).toMatchObject({
      status: 'completed',
      attempts: 1,
      result: { recipients: 2_500, enqueued: 2_500, skipped: { duplicate: 0, faulty: 0 } },
    });
  });

  test('passes over those who have theirs, where the file has changed meanwhile', async () => {
    writeList(listOf(upTo(1_600)));
    const id = await bench.add(ORDER);
    await killInSecondThousand(id);
    // One more at the start, and one less: who goes on behind the thousandth line misses some.
    writeList(listOf([5_000, ...upTo(1_600).filter((index) => index > 1), 1_599]));
    await bench.run(FAN_OUT);
    const all = await enqueued();
    expect(new Set(all)).toEqual(new Set([...upTo(1_600), 5_000].map(addressOf)));
    expect(all).toHaveLength(1_601);
    expect(await bench.job(id)).toMatchObject({ status: 'completed', result: { enqueued: 1_601 } });
  });

  test('passes over those who have theirs, where they come from a query, in whatever order', async () => {
    await bench.db.pool.query('CREATE TABLE people (email VARCHAR(99) PRIMARY KEY)');
    await bench.db.users.allow('worker', 'SELECT', 'people');
    await bench.db.pool.query('INSERT INTO people VALUES ?', [upTo(1_600).map((index) => [addressOf(index)])]);
    writeFileSync(
      join(bench.queries, 'people.sql'),
      'SELECT email FROM people UNION ALL SELECT email FROM people ORDER BY LENGTH(email), email',
    );
    const id = await bench.add({ ...ORDER, recipients: 'people' });
    await killInSecondThousand(id);
    writeFileSync(join(bench.queries, 'people.sql'), 'SELECT email FROM people UNION ALL SELECT email FROM people');
    await bench.run(FAN_OUT);
    const all = await enqueued();
    expect(new Set(all).size).toBe(1_600);
    expect(all).toHaveLength(1_600);
    expect(await bench.job(id)).toMatchObject({
      status: 'completed',
      result: { recipients: 3_200, enqueued: 1_600, skipped: { duplicate: 1_600, faulty: 0 } },
    });
  });
});

test('a broadcast whose run is to stop hands on to the next one, and is charged no attempt', async () => {
  writeList(listOf(upTo(2_500)));
  const id = await bench.add(ORDER);
  await endInSecondThousand(id, ({ child }) => child.kill('SIGTERM'));
  expect(await bench.job(id)).toMatchObject({ status: 'pending', attempts: 0 });
  expect(await enqueued()).toHaveLength(2_000);
  await bench.run(FAN_OUT);
  expect(await enqueued()).toEqual(upTo(2_500).map(addressOf));
  expect(await bench.job(id)).toMatchObject({ status: 'completed', result: { recipients: 2_500, enqueued: 2_500 } });
});

test('a file that is broken at its end: mended and retried, it gives the rest their mails', async () => {
  writeList(`${listOf(upTo(1_200))}c1200@example.org,"never closed\n`);
  const id = await bench.add(ORDER);
  await bench.run(FAN_OUT);
  expect(await bench.job(id)).toMatchObject({ status: 'failed', error: expect.stringContaining('never closed') });
  expect(await enqueued()).toHaveLength(1_000);
  writeList(listOf(upTo(1_201)));
  await rowlock(['retry', String(id)], { env: { DATABASE_URL: bench.db.url } });
  await bench.run(FAN_OUT);
  expect(await enqueued()).toEqual(upTo(1_201).map(addressOf));
});

test('killed three times while its mails are sent: each of 200 is sent, and none as two different ones', async () => {
  writeList(listOf(upTo(200)));
  const id = await bench.add(ORDER);
  for (const at of [1, 50, 100]) {
    const run = bench.start(['--concurrency', '3']); // what it holds is a suspect after it, and takes a process of its own
    await until(() => bench.server.mails.length >= at, `${at} mails were sent`, { deadlineMs: 60_000 });
    await kill(run);
  }
  await until(
    async () => {
      await bench.run();
      return (await bench.mails()).every(({ status }) => status === 'completed');
    },
    'all mails are sent',
    { deadlineMs: 120_000 },
  );
  expect(await bench.job(id)).toMatchObject({ status: 'completed' });
  const ids = new Map<string, Set<string>>();
  for (const { to, messageId = '' } of bench.server.mails) {
    const address = [to ?? []].flat()[0]?.text ?? '';
    ids.set(address, (ids.get(address) ?? new Set()).add(messageId));
  }
  expect([...ids.keys()].sort()).toEqual(upTo(200).map(addressOf).sort());
  expect([...ids.values()].filter(({ size }) => size > 1)).toEqual([]);
}, 240_000);
