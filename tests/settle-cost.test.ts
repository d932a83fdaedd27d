import { IDS_AT_MOST } from '../src/queue/job';
import { settleJobs } from '../src/queue/settle';
import { openQueueBench, outcomeOf, type QueueBench, RELEASE, RETRY } from './support/queue';
import { openReadMeter, type ReadMeter, sumEntries } from './support/reads';

const RUN = 7;

let bench: QueueBench;
let meter: ReadMeter;

beforeAll(async () => {
  bench = await openQueueBench();
  meter = await openReadMeter(bench.db.urls.worker);
});

/** Its outcome in the statement, written and read; its row, found, and found again to be written; and one more of MySQL's. */
const ENTRIES_PER_OUTCOME = 5;

test.each([
  ['completed', {}, 'complete_jobs', 1],
  ['completed with a result', { result: '{"n":1}' }, 'settle_jobs', ENTRIES_PER_OUTCOME],
  ['given back', RELEASE, 'settle_jobs', ENTRIES_PER_OUTCOME],
  ['tried again', RETRY, 'settle_jobs', ENTRIES_PER_OUTCOME],
])(
  'a full batch that is %s is one statement, and reads each row by its key',
  async (_how, outcome, statement, atMost) => {
    await bench.clear();
    await bench.open(RUN);
    await bench.db.producer.query('INSERT INTO background_jobs (job_type) VALUES ?', [
      Array(2 * IDS_AT_MOST).fill(['a']),
    ]);
    const jobs = await bench.claim(RUN, IDS_AT_MOST);
    const settle = (some: typeof jobs) =>
      settleJobs(
        meter.pool,
        RUN,
        some.map((job) => outcomeOf(job, outcome)),
      );
    await settle(jobs.slice(0, 1));
    meter.take();

    const settled = await settle(jobs.slice(1));
    expect(settled.map(({ how }) => how)).toEqual(Array(IDS_AT_MOST - 1).fill('written'));
    const reads = meter.take();
    const history = 'error' in outcome ? ['insert_errors'] : [];
    expect(reads.map(({ statement }) => statement)).toEqual([
      'START TRANSACTION',
      statement,
      ...history,
      'count_outcomes',
      'COMMIT',
    ]);
    const entriesPerJob = sumEntries(reads) / settled.length;
    expect({ entriesPerJob, few: entriesPerJob <= atMost + 0.05 }).toMatchObject({ few: true });
  },
);
