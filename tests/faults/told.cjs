// What job functions of the scenes have in common: a journal outside of the database in which each says when it begins,
// ends and is aborted. One line in one write at the file's end, so that no kill tears it and the lines of all processes
// are in true order.
//
// From the environment: FAULTS_JOURNAL, that file; FAULTS_PROCESS, the number that the harness gave to the run.
const { openSync, writeSync } = require('node:fs');

const journal = openSync(process.env.FAULTS_JOURNAL ?? '/dev/null', 'a');
const number = Number(process.env.FAULTS_PROCESS ?? 0);

/** The steady clock, which libfaketime leaves alone. */
const now = () => Number(process.hrtime.bigint()) / 1e6;

// Taken now: a function from hell may put another in its place.
const { stringify } = JSON;

function note(what, { id, type, attempt, token }) {
  const line = { what, job: id, token, type, attempt, process: number, pid: process.pid, at: now() };
  writeSync(journal, `${stringify(line)}\n`);
}

// From here on its process may begin a job. A suspect's own process is its run's child.
const loaded = { what: 'load', process: number, pid: process.pid, parent: process.ppid, at: now() };
writeSync(journal, `${stringify(loaded)}\n`);

/** What ctx.complete and ctx.save write. */
const effect = (ctx, step) => (tx) =>
  tx.query('INSERT INTO effects (job_id, step, attempt, process) VALUES (?, ?, ?, ?)', [
    ctx.job.id,
    step,
    ctx.job.attempt,
    number,
  ]);

/** A function that tells the journal of itself. */
const told = (run) => async (payload, ctx) => {
  // A copy: a function from hell may empty what it is given. An id may be given anew, a token is not.
  const about = { ...ctx.job, token: typeof payload?.token === 'number' ? payload.token : undefined };
  note('begin', about);
  ctx.signal.addEventListener('abort', () => note('abort', about));
  try {
    return await run(payload ?? {}, ctx);
  } finally {
    note('end', about);
  }
};

/** Short, so that a scene sees the end of every row. */
const backoff = ['200ms', '400ms'];

/** A job type. */
const job = (type, run, more = {}) => ({ type, backoff, timeout: '1m', run: told(run), ...more });

module.exports = { effect, job };
