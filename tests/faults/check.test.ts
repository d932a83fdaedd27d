import { CHECKS, checkAll } from './check/check.mjs';
import type {
  EffectRow,
  ErrorRow,
  ExecutionReading,
  JobEvent,
  JobRow,
  ProcessReading,
  Readings,
  RunRow,
} from './check/readings.mjs';
import type { LedgerEntry } from './stage/ledger.mjs';

// Each invariant of the fault harness is broken on purpose, in readings that are made up: a check that sees nothing
// would pass every scene.

const WORKER = 71;
const OTHER = 72;

const job = (more: Partial<JobRow> = {}): JobRow => ({
  id: 1,
  type: 'effect.complete',
  token: 1,
  status: 'completed',
  attempts: 1,
  crashes: 0,
  runId: WORKER,
  processedAt: 8_000,
  endedAt: '8.000',
  cancelledAt: null,
  runAt: 0,
  lastError: null,
  hasResult: false,
  resultToken: null,
  ...more,
});

const run = (more: Partial<RunRow> = {}): RunRow => ({
  id: WORKER,
  pid: 500,
  startedAt: 1_000,
  finishedAt: 9_000,
  outcome: 'finished',
  claimed: 1,
  completed: 1,
  retried: 0,
  failed: 0,
  released: 0,
  ...more,
});

const execution = (more: Partial<ExecutionReading> = {}): ExecutionReading => ({
  job: 1,
  token: 1,
  runId: WORKER,
  type: 'effect.complete',
  attempt: 1,
  process: 1,
  pid: 500,
  beganAt: 2_000,
  endedAt: 3_000,
  abortedAt: undefined,
  ...more,
});

const process = (more: Partial<ProcessReading> = {}): ProcessReading => ({
  number: 1,
  pid: 500,
  runId: WORKER,
  startedAt: 900,
  endedAt: 9_100,
  code: 0,
  signal: null,
  sent: new Set(),
  hung: false,
  log: '1.log',
  ...more,
});

const failure = (more: Partial<ErrorRow> = {}): ErrorRow => ({
  id: 1,
  job: 1,
  attempt: 1,
  runId: WORKER,
  at: 3_000,
  error: 'no',
  ...more,
});

const told = (more: Partial<JobEvent> = {}): JobEvent => ({
  event: 'job.released',
  job: 1,
  attempt: 1,
  process: 1,
  ...more,
});

const effect = (more: Partial<EffectRow> = {}): EffectRow => ({
  job: 1,
  step: 'complete',
  attempt: 1,
  process: 1,
  ...more,
});

const entry = (more: Partial<LedgerEntry> = {}): LedgerEntry => ({
  token: 1,
  type: 'effect.complete',
  fate: 'committed',
  ...more,
});

/** One job, of one run, that went well. */
function readings(more: Partial<Readings> & { entries?: LedgerEntry[] } = {}): Readings {
  const { entries = [entry()], jobs = [job()], processes = [process()], ...rest } = more;
  return {
    jobs,
    runs: [run()],
    errors: [],
    effects: jobs.map(({ id, attempts, runId }) =>
      effect({ job: id, attempt: attempts, process: processes.find((one) => one.runId === runId)?.number ?? 0 }),
    ),
    ledger: new Map(entries.map((one) => [one.token, one])),
    executions: jobs.map(({ id, attempts, runId }) =>
      execution({ job: id, attempt: attempts, runId: runId ?? undefined }),
    ),
    former: [],
    processes,
    events: [],
    seenEnded: jobs,
    prints: [{ name: '1.log', text: 'job 1 completed' }],
    secrets: ['canary-1'],
    expect: {
      kinds: {
        'effect.complete': { ends: 'completed', effects: ['complete'] },
        result: { ends: 'completed', effects: [], returnsToken: true },
        retry: { ends: 'completed', effects: [], failures: 2 },
        once: { ends: 'either', effects: [], mostExecutions: 1 },
        poison: { ends: 'failed', effects: [] },
      },
      touched: new Set(),
      ends: { codes: new Set([0, 69, 75]), signals: new Set(), stacks: false, longestMs: 10_000 },
      late: new Set(),
      touchedTokens: new Set(),
      taken: [],
    },
    ...rest,
  };
}

const broken = new Set<string>();

const found = (more: Parameters<typeof readings>[0]): string[] =>
  checkAll(readings(more)).map(({ check, id, text }) => {
    broken.add(check);
    return `${check}: ${id}: ${text}`;
  });

test('nothing is found where all went well', () => {
  expect(found({})).toEqual([]);
});

describe('no row lost', () => {
  test('committed, and not there', () => {
    expect(found({ entries: [entry(), entry({ token: 2 })] })).toEqual([
      'no row lost: token 2: effect.complete: committed, and not there',
    ]);
  });

  test.each(['rolled back', 'deleted'] as const)('%s, and there', (fate) => {
    expect(found({ entries: [entry({ fate })] })).toEqual([
      `no row lost: token 1: effect.complete: ${fate}, and there`,
    ]);
  });

  test('there twice', () => {
    const found2 = found({ jobs: [job(), job({ id: 2 })] });
    expect(found2).toContain('no row lost: token 1: effect.complete: there 2 times');
  });

  test('inserted by nobody', () => {
    expect(found({ entries: [] })).toEqual(['no row lost: token 1: there, and inserted by nobody']);
  });

  test('a COMMIT without an answer may have been either', () => {
    expect(found({ entries: [entry({ fate: 'unknown' }), entry({ token: 2, fate: 'unknown' })] })).toEqual([]);
  });
});

describe('every row ends', () => {
  test.each(['pending', 'running'] as const)('still %s', (status) => {
    expect(found({ jobs: [job({ status })] })).toContain(`every row ends: 1: effect.complete: still ${status}`);
  });

  test('of a type that nobody has said anything of', () => {
    expect(found({ jobs: [job({ type: 'strange' })], effects: [] })).toEqual([
      'every row ends: 1: strange: completed, and nobody has said what is to become of it',
    ]);
    // For the server trailing spaces do not count.
    expect(found({ jobs: [job({ type: 'effect.complete  ' })] })).toEqual([]);
  });

  test('cancelled by nobody', () => {
    expect(found({ jobs: [job({ cancelledAt: 2_500 })] })).toEqual([
      'every row ends: 1: effect.complete: cancelled, and by nobody',
    ]);
    const expected = readings().expect;
    const jobs = [job({ cancelledAt: 2_500 })];
    expect(found({ jobs, expect: { ...expected, touched: new Set([1]), touchedTokens: new Set([1]) } })).toEqual([]);
  });

  test('not as its type says', () => {
    const failed = { jobs: [job({ status: 'failed', lastError: 'no' })], errors: [failure()] };
    expect(found(failed)).toContain('every row ends: 1: effect.complete: failed, and should have completed: no');
  });
});

describe('ended stays ended', () => {
  const was = (id: number) => `ended stays ended: ${id}: it was completed at 8.000 by run ${WORKER}, attempt 1`;
  const seenEnded = [job()];

  test('pending again, or gone', () => {
    expect(found({ jobs: [job({ status: 'pending', endedAt: null })], seenEnded })).toContain(
      `${was(1)}, and is now pending at null by run ${WORKER}, attempt 1`,
    );
    const both = [job(), job({ id: 8, token: 8 })];
    expect(found({ seenEnded: both })).toEqual([`${was(8)}, and is gone`]);
  });

  test('ended anew', () => {
    expect(found({ jobs: [job({ endedAt: '9.000' })], seenEnded })).toEqual([
      `${was(1)}, and is now completed at 9.000 by run ${WORKER}, attempt 1`,
    ]);
    expect(
      found({
        jobs: [job({ runId: OTHER })],
        runs: [],
        effects: [effect({ process: 2 })],
        processes: [process({ number: 2, runId: OTHER })],
        seenEnded,
      }),
    ).toEqual([`${was(1)}, and is now completed at 8.000 by run ${OTHER}, attempt 1`]);
  });
});

describe('beside a row that was meddled with, and one that was deleted, the others are still looked at', () => {
  // Row 1 is as it should be; row 2 was changed while its run held it, and what had id 3 is gone, with another in its place.
  const gone = entry({ token: 3, fate: 'deleted' });
  const anew = job({ id: 3, token: 4 });
  const meddled = (more: Partial<Readings> = {}) => {
    const jobs = [job(), job({ id: 2, token: 2, attempts: 0 }), anew];
    const { expect: expected } = readings();
    const executions = [execution(), execution({ job: 2, token: 2 }), execution({ job: 3, token: 4 })];
    return found({
      jobs,
      runs: [run({ claimed: 4, completed: 2 })],
      entries: [entry(), entry({ token: 2 }), gone, entry({ token: 4 })],
      executions,
      former: [execution({ job: 3, token: 3 })],
      seenEnded: [job(), job({ id: 3, token: 3 })],
      ...more,
      expect: {
        ...expected,
        touched: new Set([2]),
        touchedTokens: new Set([2]),
        taken: [2, 3].map((token) => ({ token, runId: WORKER })),
      },
    });
  };

  test('nothing is found', () => {
    expect(meddled()).toEqual([]);
  });

  test('the run ledger adds up, but for these two', () => {
    const say = (claimed: number, completed: number) =>
      `the run ledger adds up: run ${WORKER}: finished: ${claimed} claimed, ${completed} completed, 0 retried, 0 failed, 0 released, 2 meddled with`;
    expect(meddled({ runs: [run({ claimed: 5, completed: 2 })] })).toEqual([say(5, 2)]);
    expect(meddled({ runs: [run({ claimed: 3, completed: 1 })] })).toEqual([`${say(3, 1)}; 2 completed rows`]);
    expect(meddled({ runs: [run({ claimed: 5, completed: 5 })] })).toEqual([`${say(5, 5)}; 2 completed rows`]);
    const history = [1, 2, 3].map((id) => failure({ id, job: 8 }));
    expect(meddled({ errors: history })).toContain(`${say(4, 2)}; 3 rows in the history`);
  });

  test('what had completed before it was deleted counts as completed', () => {
    const runs = [run({ claimed: 3, completed: 3 })];
    const entries = [entry(), entry({ token: 2, fate: 'deleted', completedBy: WORKER }), entry({ token: 3 })];
    const jobs = [job(), job({ id: 3, token: 3 })];
    const executions = [execution(), execution({ job: 2, token: 2 }), execution({ job: 3, token: 3 })];
    expect(found({ jobs, runs, entries, executions })).toEqual([]);
    expect(found({ jobs, runs: [run({ claimed: 3, completed: 2 })], entries, executions })).toHaveLength(1);
  });

  test('ended stays ended, and a row that is gone is one that was deleted', () => {
    const seenEnded = [job({ endedAt: '7.000' }), job({ id: 3, token: 9 })];
    expect(meddled({ seenEnded })).toEqual([
      expect.stringContaining('ended stays ended: 1: it was completed at 7.000'),
      expect.stringMatching(/^ended stays ended: 3: .* and is gone$/),
    ]);
  });

  test('executed, and in no row that anybody knows of', () => {
    expect(meddled({ former: [execution({ job: 3, token: 9 })] })).toEqual([
      'ran as often as said: 3: executed, and in no row',
    ]);
  });
});

describe('one holder', () => {
  const second = { process: 2, pid: 600, runId: OTHER, beganAt: 2_500, endedAt: 2_900 };
  const both = { processes: [process(), process({ number: 2, pid: 600, runId: OTHER })] };
  const runs = [run(), run({ id: OTHER, claimed: 0, completed: 0 })];
  // That there is a second one at all is the affair of another check.
  const holders = (more: Partial<Readings>) => found(more).filter((text) => text.startsWith('one holder'));

  test('two at once, in two live runs', () => {
    expect(holders({ ...both, runs, executions: [execution(), execution(second)] })).toEqual([
      'one holder: 1: attempt 1 in process 1 (pid 500) was not over when attempt 1 began in process 2 (pid 600)',
    ]);
  });

  const before = { endedAt: undefined };
  test.each<[string, Partial<Readings>]>([
    ['its run was closed', { runs: [run({ finishedAt: 2_400 }), run({ id: OTHER, claimed: 0, completed: 0 })] }],
    ['its process had ended', { processes: [process({ endedAt: 2_400 }), ...both.processes.slice(1)] }],
    ['it was told to end', { executions: [execution({ abortedAt: 2_400 }), execution(second)] }],
    [
      'its own run had been closed before it began',
      { runs: [run(), run({ id: OTHER, finishedAt: 2_400, claimed: 0, completed: 0 })] },
    ],
  ])('not two: %s', (_, more) => {
    expect(holders({ ...both, runs, executions: [execution(before), execution(second)], ...more })).toEqual([]);
  });

  test('not two: its outcome was written', () => {
    const crashed = failure({ at: 2_400, error: 'crash 2 of 3: the process was ended' });
    const after = found({
      ...both,
      runs: [run({ claimed: 2, retried: 1, outcome: 'lost' }), run({ id: OTHER, claimed: 0, completed: 0 })],
      jobs: [job({ crashes: 2 })],
      errors: [crashed],
      executions: [execution(before), execution(second)],
    });
    expect(after).toEqual([]);
  });
});

describe('ran as often as said', () => {
  const say = (text: string) => [`ran as often as said: ${text}`];

  test('never, by another attempt, and in no row', () => {
    expect(found({ executions: [] })).toEqual(say('1: effect.complete: completed, and never executed'));
    expect(found({ executions: [execution({ runId: OTHER })] })).toEqual(
      say(`1: effect.complete: completed by attempt 1 of run ${WORKER}, which has not executed it`),
    );
    expect(found({ executions: [execution(), execution({ job: 9, token: 9 })] })).toEqual(
      say('9: executed, and in no row'),
    );
  });

  test('with fewer failures than its type has', () => {
    expect(found({ jobs: [job({ type: 'retry' })], effects: [] })).toEqual(
      say('1: retry: completed at attempt 1, and was to fail 2 times'),
    );
  });

  test('oftener than it may begin', () => {
    const twice = [execution(), execution({ beganAt: 4_000, endedAt: 4_100 })];
    const runs = [run({ claimed: 2, released: 1 })];
    const once = { jobs: [job({ type: 'once' })], effects: [], runs, executions: twice, events: [told()] };
    expect(found(once)).toEqual(say('1: once: executed 2 times, and may begin 1 times at most'));
  });

  test('failed, and nobody was lost', () => {
    const failed = (more: Partial<JobRow>, runMore: Partial<RunRow> = {}) => {
      const lastError = 'worker died; may have run';
      const jobs = [job({ type: 'once', status: 'failed', lastError, ...more })];
      const runs = [run({ completed: 0, failed: 1, ...runMore })];
      return found({ jobs, effects: [], runs, errors: [failure({ error: lastError })] });
    };
    expect(failed({})).toEqual(say('1: once: failed, and no worker was lost with it: worker died; may have run'));
    expect(failed({}, { outcome: 'stopped' })).toEqual([]);
    expect(failed({ lastError: 'no' }, { outcome: 'stopped' })).toEqual(
      say('1: once: failed, and no worker was lost with it: no'),
    );
  });
});

describe('each execution explained', () => {
  const again = execution({ process: 2, pid: 600, runId: OTHER, beganAt: 6_000, endedAt: 6_100 });
  const both = {
    processes: [process(), process({ number: 2, pid: 600, runId: OTHER })],
    executions: [execution(), again],
    jobs: [job({ runId: OTHER })],
  };
  const other = run({ id: OTHER, pid: 600 });
  const first = (more: Partial<RunRow>) => [run({ completed: 0, ...more }), other];
  const unexplained = [
    'each execution explained: 1: attempt 1 in process 1 (pid 500) was followed by attempt 1 in process 2 (pid 600), and nothing says why',
  ];

  test('a second one, of which nothing is written', () => {
    expect(found({ ...both, runs: first({ claimed: 0 }) })).toEqual(unexplained);
  });

  test('one in the same run, explained once', () => {
    const three = [execution(), execution({ beganAt: 4_000 }), execution({ attempt: 2, beganAt: 6_000 })];
    const runs = [run({ claimed: 3, retried: 1, released: 1 })];
    const retried = { errors: [failure()], jobs: [job({ attempts: 2 })], runs, executions: three };
    expect(found({ ...retried, events: [told()] })).toEqual([]);
    expect(found(retried)).toEqual([
      'each execution explained: 1: attempt 1 in process 1 (pid 500) was followed by attempt 2 in process 1 (pid 500), and nothing says why',
    ]);
  });

  test.each<[string, Partial<Readings>]>([
    ['a release was told', { runs: first({ released: 1 }), events: [told()] }],
    ['its run was over', { runs: first({ outcome: 'lost', finishedAt: 5_000 }) }],
    ['its run was over, at a time that never was', { runs: first({ outcome: 'lost', finishedAt: Number.NaN }) }],
    ['a release of a run that died before it told of it', { runs: first({ outcome: 'lost', released: 1 }) }],
    ['a release whose answer was lost', { runs: first({ released: 1 }), events: [told({ event: 'job.taken_away' })] }],
  ])('explained: %s', (_, more) => {
    expect(found({ ...both, ...more })).toEqual([]);
  });

  test.each<[string, Partial<Readings>]>([
    ['its run was over only later', { runs: first({ outcome: 'lost', finishedAt: 7_000 }) }],
    ['a release of another attempt', { runs: first({ released: 1 }), events: [told({ attempt: 2 })] }],
    ['a release that nobody told of', { runs: first({ released: 1 }) }],
    ['it was taken away', { runs: first({ claimed: 0 }), events: [told({ event: 'job.taken_away' })] }],
  ])('not explained: %s', (_, more) => {
    expect(found({ ...both, ...more })).toEqual(unexplained);
  });

  test('one that begins after its row had ended, or its run was over', () => {
    expect(found({ jobs: [job({ processedAt: 1_900 })] })).toEqual([
      'each execution explained: 1: attempt 1 in process 1 (pid 500) began 100 ms after its row had ended',
    ]);
    const over = { runs: [run({ finishedAt: 1_900 })] };
    expect(found(over)).toEqual([
      'each execution explained: 1: attempt 1 in process 1 (pid 500) began 100 ms after its run was over',
    ]);
    expect(found({ ...over, executions: [execution(), execution({ pid: 501 })] })).toHaveLength(1);
  });
});

test('effects once', () => {
  expect(found({ effects: [effect(), effect({ attempt: 2 })] })).toContain(
    'effects once: 1: "complete" was written 2 times (attempts 1, 2)',
  );
  expect(found({ effects: [] })).toEqual(['effects once: 1: effect.complete: completed without complete']);
  const failed = { jobs: [job({ status: 'failed', lastError: 'no' })], errors: [failure()] };
  expect(found({ ...failed, runs: [run({ completed: 0, failed: 1 })] })).toContain(
    `effects once: 1: effect.complete: "complete" was written by attempt 1 in process 1, and it is failed by attempt 1 of run ${WORKER}`,
  );
  const byAnother = `effects once: 1: effect.complete: "complete" was written by attempt 1 in process 2, and it is completed by attempt 1 of run ${WORKER}`;
  expect(found({ effects: [effect({ process: 2 })] })).toEqual([byAnother]);
});

test('own result', () => {
  const give = (more: Partial<JobRow>) => ({
    jobs: [job({ type: 'result', hasResult: true, resultToken: 1, ...more })],
    effects: [],
  });
  expect(found(give({}))).toEqual([]);
  expect(found(give({ resultToken: 2 }))).toEqual(['own result: 1: result: its result is that of 2']);
  const none = give({ hasResult: false, resultToken: null });
  expect(found(none)).toEqual(['own result: 1: result: completed without its result']);
  const dropped = told({ event: 'job.result_dropped' });
  expect(found({ ...none, events: [dropped] })).toEqual([]);
  expect(found({ ...none, events: [{ ...dropped, process: 2 }] })).toHaveLength(1);
});

describe('attempts tell the history', () => {
  const say = (attempts: number, crashes: number, failed: string) =>
    `attempts tell the history: 1: effect.complete: completed with ${attempts} attempts, ${crashes} crashes; failed attempts ${failed}`;

  test('one more than were made', () => {
    expect(found({ jobs: [job({ attempts: 2 })] })).toEqual([say(2, 0, 'none')]);
  });

  test('one that is missing, and one that is there twice', () => {
    const lost = { runs: [run({ claimed: 2, retried: 1 })], jobs: [job({ attempts: 2 })] };
    expect(found({ ...lost, errors: [failure({ attempt: 2 })] })).toEqual([say(2, 0, '2')]);
    const twice = { runs: [run({ claimed: 3, retried: 2 })], jobs: [job({ attempts: 3 })] };
    expect(found({ ...twice, errors: [failure(), failure({ id: 2 })] })).toEqual([say(3, 0, '1, 1')]);
  });

  test('a crash is no attempt', () => {
    const errors = [failure({ error: 'crash 2 of 3: the process was ended' })];
    const runs = [run({ claimed: 2, retried: 1, outcome: 'lost' })];
    expect(found({ errors, runs, jobs: [job({ crashes: 2 })] })).toEqual([]);
    expect(found({ errors, runs, jobs: [job({ crashes: 2, attempts: 2 })] })).toEqual([say(2, 2, 'none')]);
  });
});

describe('crashes tell the history', () => {
  const byKill = { code: null, signal: 'SIGKILL', sent: new Set(['SIGKILL'] as const) } as const;
  const crash = (number: number) => failure({ id: number, error: `crash ${number} of 3: the process was ended` });
  const lost = (retried: number) => ({ runs: [run({ outcome: 'lost', claimed: 1 + retried, retried })] });

  test('none where a worker died holding it', () => {
    const killed = {
      processes: [process({ ...byKill, endedAt: 2_500 }), process({ number: 2, pid: 600, runId: OTHER })],
      executions: [
        execution({ endedAt: undefined }),
        execution({ process: 2, pid: 600, runId: OTHER, beganAt: 4_000, endedAt: 5_000 }),
      ],
      runs: [run({ outcome: 'lost', completed: 0, finishedAt: 3_500 }), run({ id: OTHER })],
      jobs: [job({ runId: OTHER })],
    };
    expect(found(killed)).toEqual([
      'crashes tell the history: 1: effect.complete: no crash, but process 1 died holding it',
    ]);
    expect(found({ ...killed, jobs: [job({ runId: OTHER, crashes: 1 })] })).toEqual([]);
  });

  test('one although nobody died', () => {
    expect(found({ jobs: [job({ crashes: 1 })] })).toEqual([
      'crashes tell the history: all: 1 rows have crashes and none in their history, and runs that died left 0 behind: 1',
    ]);
  });

  test('more than the runs that died have left behind', () => {
    const both = {
      jobs: [job({ crashes: 1 }), job({ id: 2, token: 2, crashes: 1 })],
      entries: [entry(), entry({ token: 2 })],
      runs: [run({ claimed: 2, completed: 2 }), run({ id: OTHER, outcome: 'lost', completed: 0 })],
    };
    const more = (left: number) =>
      `crashes tell the history: all: 2 rows have crashes and none in their history, and runs that died left ${left} behind: 1, 2`;
    expect(found(both)).toEqual([more(1)]);
    const [first, dead] = both.runs as [RunRow, RunRow];
    expect(found({ ...both, runs: [first, { ...dead, claimed: 2 }] })).toEqual([]);
  });

  test('another number than that of the history', () => {
    expect(found({ ...lost(1), jobs: [job({ crashes: 3 })], errors: [crash(2)] })).toEqual([
      'crashes tell the history: 1: effect.complete: 3 crashes, and 2 by its history',
    ]);
    expect(found({ ...lost(0), jobs: [job({ crashes: 2 })] })).toEqual([
      'crashes tell the history: 1: effect.complete: 2 crashes, and none in its history',
    ]);
    expect(found({ ...lost(2), jobs: [job({ crashes: 2 })], errors: [crash(2), { ...crash(2), id: 3 }] })).toEqual([
      'crashes tell the history: 1: effect.complete: the crashes 2, 2 stand in its history',
    ]);
  });
});

describe('the run ledger adds up', () => {
  const tell = (text: string) => [`the run ledger adds up: run ${WORKER}: ${text}`];

  test('a run that was never closed', () => {
    const open = { runs: [run({ outcome: null, finishedAt: null })] };
    expect(found(open)).toContain(
      tell('never closed; open: 1 claimed, 1 completed, 0 retried, 0 failed, 0 released')[0],
    );
  });

  test('more outcomes than claims, and fewer', () => {
    const say = (claimed: number) => tell(`finished: ${claimed} claimed, 1 completed, 0 retried, 0 failed, 0 released`);
    expect(found({ runs: [run({ claimed: 0 })] })).toEqual(say(0));
    expect(found({ runs: [run({ claimed: 2 })] })).toEqual(say(2));
    expect(found({ runs: [run({ claimed: 2, outcome: 'lost' })] })).toEqual([]);
  });

  test('other counts than those of the rows and of the history', () => {
    expect(found({ runs: [run({ claimed: 2, completed: 2 })] })).toEqual(
      tell('finished: 2 claimed, 2 completed, 0 retried, 0 failed, 0 released; 1 completed rows'),
    );
    expect(found({ runs: [run({ claimed: 2, retried: 1 })] })).toEqual(
      tell('finished: 2 claimed, 1 completed, 1 retried, 0 failed, 0 released; 0 rows in the history'),
    );
  });
});

describe('runs end in order', () => {
  const stack = 'it failed\n    at run (/srv/app/dist/cli.js:1:2)';

  test.each<[string, Partial<ProcessReading>, string]>([
    ['a code that says nothing', { code: 1 }, 'it ended with code 1'],
    ['a signal from nowhere', { code: null, signal: 'SIGSEGV' }, 'it was ended by SIGSEGV, and by nobody here'],
    ['too late', { endedAt: 10_901 }, 'it lasted 10.0 s, and 10 s at most were expected'],
    ['not by SIGTERM', { code: null, signal: 'SIGKILL', hung: true }, 'SIGTERM did not end it'],
  ])('%s', (_, more, text) => {
    expect(found({ processes: [process(more)] })).toEqual([`runs end in order: process 1: ${text}`]);
  });

  test('by what the scene has sent', () => {
    expect(found({ processes: [process({ code: null, signal: 'SIGTERM', sent: new Set(['SIGTERM']) })] })).toEqual([]);
  });

  test('with a stack', () => {
    expect(found({ prints: [{ name: '1.log', text: stack }] })).toEqual([
      'runs end in order: process 1: it printed a stack',
    ]);
    expect(found({ prints: [{ name: 'history of 1', text: stack }] })).toEqual([]);
  });
});

test('not before its time', () => {
  expect(found({ jobs: [job({ runAt: 2_100 })] })).toEqual([
    'not before its time: 1: effect.complete: it began 100 ms before its run_at',
  ]);
  // An earlier one may be older than the run_at that its retry was given.
  const both = [execution(), execution({ attempt: 2, beganAt: 4_000, endedAt: 4_100 })];
  const again = { jobs: [job({ runAt: 3_500, attempts: 2 })], executions: both, errors: [failure()] };
  expect(found({ ...again, runs: [run({ claimed: 2, retried: 1 })] })).toEqual([]);
});

test('nothing leaks', () => {
  expect(found({ prints: [{ name: '1.log', text: 'first\npayload {"canary":"canary-1-7"}\nlast' }] })).toEqual([
    'nothing leaks: 1.log: payload {"canary":"***-7"}',
  ]);
});

test('every invariant was broken', () => {
  expect([...broken].sort()).toEqual(CHECKS.map(({ name }) => name).sort());
});
