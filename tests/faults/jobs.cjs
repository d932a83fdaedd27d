// The job functions of the scenes.
//
// Payload of all: { token, canary }, and what a function reads besides.
const { setTimeout: pause } = require('node:timers/promises');
const { UnrecoverableError } = require('../../dist');
const { effect, job } = require('./told.cjs');

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
  // It does not hear its signal.
  job('deaf', ({ ms = 3_000 }) => pause(ms)),
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
