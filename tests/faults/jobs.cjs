// The job functions of the scenes. Each says in a journal outside of the database when it begins, ends and is aborted:
// one line in one write at the file's end, so that no kill tears it and the lines of all processes are in true order.
//
// From the environment: FAULTS_JOURNAL, that file; FAULTS_PROCESS, the number that the harness gave to the run.
// Payload of all: { token, canary }, and what a function reads besides.
const { openSync, writeSync } = require('node:fs');
const { setTimeout: pause } = require('node:timers/promises');
const { UnrecoverableError } = require('../../dist');

const journal = openSync(process.env.FAULTS_JOURNAL ?? '/dev/null', 'a');
const number = Number(process.env.FAULTS_PROCESS ?? 0);

/** The steady clock, which libfaketime leaves alone. */
const now = () => Number(process.hrtime.bigint()) / 1e6;

function note(what, { id, type, attempt }) {
  const line = { what, job: id, type, attempt, process: number, pid: process.pid, at: now() };
  writeSync(journal, `${JSON.stringify(line)}\n`);
}

const effect = (ctx, step) => (tx) =>
  tx.query('INSERT INTO effects (job_id, step, attempt, process) VALUES (?, ?, ?, ?)', [
    ctx.job.id,
    step,
    ctx.job.attempt,
    number,
  ]);

/** A function that tells the journal of itself. */
const told = (run) => async (payload, ctx) => {
  note('begin', ctx.job);
  ctx.signal.addEventListener('abort', () => note('abort', ctx.job));
  try {
    return await run(payload ?? {}, ctx);
  } finally {
    note('end', ctx.job);
  }
};

/** Short, so that a scene sees the end of every row. */
const backoff = ['200ms', '400ms'];

const job = (type, run, more = {}) => ({ type, backoff, timeout: '1m', run: told(run), ...more });

const STEPS = 3;

async function saveSteps({ ms = 0, bytes = 0 }, ctx) {
  for (let step = (ctx.checkpoint?.step ?? 0) + 1; step <= STEPS; step++) {
    if (ms > 0) await pause(ms, undefined, { signal: ctx.signal });
    await ctx.save({ step, text: 's'.repeat(bytes) }, effect(ctx, `save ${step}`));
  }
}

module.exports = [
  job('noop', () => undefined),
  job('result', ({ token, bytes = 0 }) => ({ token, text: 'r'.repeat(bytes) })),
  job('slow', ({ ms = 300 }, { signal }) => pause(ms, undefined, { signal })),
  job('effect.complete', async ({ ms = 0 }, ctx) => {
    if (ms > 0) await pause(ms, undefined, { signal: ctx.signal });
    return ctx.complete(effect(ctx, 'complete'));
  }),
  job('effect.save', saveSteps),
  // The same, where a checkpoint may be larger than the server takes.
  job('save.large', saveSteps),
  job('retry', ({ failures = 2, bytes = 0 }, { job: { attempt } }) => {
    if (attempt <= failures) throw new Error(`attempt ${attempt} fails, as it is to${'e'.repeat(bytes)}`);
  }),
  // Its unique_key is free again once it has ended: to end it is to change an entry that others may hold.
  job('keyed', ({ ms = 0 }, { signal }) => (ms > 0 ? pause(ms, undefined, { signal }) : undefined), {
    unique: 'active',
  }),
  job('fail', () => {
    throw new UnrecoverableError('it fails for good, as it is to');
  }),
  job('once', ({ ms = 0 }) => (ms > 0 ? pause(ms) : undefined), { maxAttempts: 1 }),
  job('poison', ({ how = 'SIGKILL' }) => process.kill(process.pid, how)),
];
