import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Liquid } from 'liquidjs';
import { emailBroadcast } from '../src/jobs/email-broadcast';
import type { JobContext, NewJob } from '../src/worker/define';

const folder = mkdtempSync(join(tmpdir(), 'rowlock-hops-'));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => jest.restoreAllMocks());

const FILE = join(folder, 'list.csv');
const broadcast = emailBroadcast({ filesDir: folder });
const CAUSE = new Error('the run is stopping');

/** What of a broadcast outlives its attempts: the checkpoint, and the mails by their keys. */
class Ledger {
  checkpoint: unknown = null;
  readonly mails = new Map<string, NewJob>();

  /** One attempt. Each save asks whether the run is to stop, as that of a worker does. */
  async attempt(template: object, isStopping: () => boolean): Promise<unknown> {
    const query = async ({ values: { keys } }: { values: { keys: string[] } }) => [
      keys.filter((key) => this.mails.has(key)).map((uniqueKey) => ({ uniqueKey })),
    ];
    const ledger = this;
    const context = {
      job: { id: 1 },
      signal: new AbortController().signal,
      get checkpoint() {
        return ledger.checkpoint;
      },
      progress: async () => undefined,
      enqueue: async (jobs: NewJob[]) => jobs.map((job) => this.mails.set(String(job.uniqueKey), job).size),
      save: async (state: unknown, write: (tx: unknown) => Promise<unknown>) => {
        const written = await write({ query });
        this.checkpoint = JSON.parse(JSON.stringify(typeof state === 'function' ? state(written) : state));
        if (isStopping()) throw CAUSE;
      },
    };
    const order = { template, recipients: 'list.csv', params: {}, values: {}, column: 'email', delimiter: ',' };
    const payload = { ...order, priority: 10 } as Parameters<typeof broadcast.run>[0];
    try {
      return await broadcast.run(payload, context as unknown as JobContext);
    } catch (error) {
      if (error !== CAUSE) throw error;
      return undefined;
    }
  }
}

const writeList = (count: number) => {
  const lines = Array.from({ length: count }, (_, index) => `c${index}@example.org`);
  writeFileSync(FILE, `email\n${lines.join('\n')}\n`);
};

/** As a query is: its recipients may be others in the next attempt. */
const change = (attempt: number) => utimesSync(FILE, 1_000_000_000 + attempt, 1_000_000_000 + attempt);

test('runs that each have time for a thousand mails come to the end of a list that is read anew each time', async () => {
  writeList(2_500);
  const rendered = jest.spyOn(Liquid.prototype, 'renderSync');
  const ledger = new Ledger();
  const counts: number[] = [];
  let result: unknown;
  for (let attempt = 1; attempt <= 4 && result === undefined; attempt++) {
    change(attempt);
    rendered.mockClear();
    result = await ledger.attempt({ subject: '', text: '{{email}}' }, () => rendered.mock.calls.length >= 2 * 1_000);
    counts.push(ledger.mails.size);
  }
  expect(counts).toEqual([1_000, 2_000, 2_500]);
  expect(result).toEqual({ recipients: 2_500, enqueued: 2_500, skipped: { duplicate: 0, faulty: 0 }, faults: [] });
});

test('no mail is made again for whom an earlier attempt has served', async () => {
  writeList(1_500);
  const ledger = new Ledger();
  await ledger.attempt({ subject: '', text: '{{email}}' }, () => true);
  change(2);
  const rendered = jest.spyOn(Liquid.prototype, 'renderSync');
  await ledger.attempt({ subject: '', text: '{{email}}' }, () => false);
  expect(rendered.mock.calls.length).toBe(2 * 500);
  expect(ledger.mails.size).toBe(1_500);
});

test('mails that take long to make leave the run its turns', async () => {
  writeList(30);
  const rendered = jest.spyOn(Liquid.prototype, 'renderSync');
  const seen = new Set<number>();
  const watch = setInterval(() => seen.add(rendered.mock.calls.length), 1);
  await new Ledger().attempt({ subject: '', text: '{{email}} '.repeat(1_000) }, () => false);
  clearInterval(watch);
  expect([...seen].filter((calls) => calls > 0 && calls < 2 * 30)).not.toEqual([]);
});
