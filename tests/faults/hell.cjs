// Job functions from hell. What the first word of a type says becomes of its jobs:
//
//   dies    ends its process each time: failed after three crashes
//   fails   an attempt that fails each time, and takes no process along that it runs alone in: failed after two
//   leaves  completes, and leaves something behind in its process
//   odd     completes, and gives back what nobody would
//   rows    completes, and says for which row it has written
const { createServer, connect } = require('node:net');
const { setTimeout: pause } = require('node:timers/promises');
const { effect, job } = require('./told.cjs');

/** Long after its timeout, and longer than a scene. */
const FOR_EVER_MS = 3_600_000;

/** After a function's end; its outcome is written, or is about to be. */
const SOON_MS = 15;

/** What is left behind does not keep the process. */
const later = (run, ms = SOON_MS) => void setTimeout(run, ms).unref();

const untilAborted = ({ signal }) => pause(FOR_EVER_MS, undefined, { signal });

function spin() {
  for (;;) if (process.pid < 0) return;
}

const DIES = {
  abort: () => process.abort(),
  kill: () => process.kill(process.pid, 'SIGKILL'),
  segfault: () => process.kill(process.pid, 'SIGSEGV'),
  // Nothing stops this one; and a parent that only looked at the code would think that all is well.
  exit: () => process.reallyExit(0),
  memory() {
    const kept = [];
    for (;;) kept.push(Array.from({ length: 10_000 }, (_, index) => ({ index, of: kept.length })));
  },
  uncaught() {
    process.removeAllListeners('uncaughtException');
    later(() => {
      throw new Error('nobody is left to catch it');
    });
    return pause(FOR_EVER_MS);
  },
};

/** What no error should be. */
const THROWN = [
  () => undefined,
  () => null,
  () => Symbol('thrown'),
  () => spin,
  () => 2n ** 70n,
  () => Proxy.revocable({}, {}),
  () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  },
  () =>
    new Proxy(new Error('behind a proxy'), {
      get() {
        throw new Error('no looking');
      },
      getPrototypeOf() {
        throw new Error('no looking');
      },
      has() {
        throw new Error('no looking');
      },
    }),
  () => Object.defineProperty(new Error('hidden'), 'message', { get: () => process.exit(0) }),
  () => Object.defineProperty(new Error('hidden'), 'code', { get: () => process.exit(0) }),
  () => Object.assign(new Error('in a circle'), { toJSON: () => process.exit(0) }),
  () => ({ message: { toString: () => 'x'.repeat(10_000_000) } }),
  () => new Error(`\0\ud800${'\u{1f4a5}'.repeat(5_000)}`),
  () => Object.create(null),
  // Looks like what Rowlock throws itself.
  () => ({ code: 'ROWLOCK_RETRY_AFTER', delayMs: Number.NaN }),
  () => ({ code: 'ROWLOCK_RETRY_AFTER', delayMs: { valueOf: () => process.exit(0) } }),
  () => ({ name: 'AbortError', code: 'ABORT_ERR', kind: 'lost', message: 'not lost at all' }),
];

const FAILS = {
  exit: () => process.exit(0),
  'exit.tick'(_, ctx) {
    process.nextTick(() => process.exit(0));
    return untilAborted(ctx);
  },
  'exit.timer'(_, ctx) {
    later(() => process.exit());
    return untilAborted(ctx);
  },
  rejection(_, ctx) {
    void Promise.reject(new Error('nobody awaits it'));
    return untilAborted(ctx);
  },
  exception(_, ctx) {
    later(() => {
      throw undefined;
    });
    return untilAborted(ctx);
  },
  throws({ token }) {
    throw THROWN[token % THROWN.length]();
  },
  deaf: () => pause(FOR_EVER_MS),
  spin: () => spin(),
  async microtasks() {
    for (;;) await undefined;
  },
};

const TIMERS = 10_000;
/** Two open files each. */
const SOCKETS = 2_500;

const LEAVES = {
  timers() {
    for (let n = 0; n < TIMERS; n++) setTimeout(() => undefined, FOR_EVER_MS);
    for (let n = 0; n < TIMERS / 100; n++) setInterval(() => undefined, 20);
  },
  async sockets() {
    const server = createServer(() => undefined).listen(0, '127.0.0.1');
    await new Promise((resolve, reject) => server.once('listening', resolve).once('error', reject));
    const { port } = server.address();
    for (let n = 0; n < SOCKETS; n++) connect(port, '127.0.0.1').on('error', () => undefined);
  },
  exit: () => later(() => process.exit(0)),
  rejection: () => later(() => Promise.reject(new Error('long after its job'))),
  exception: () =>
    later(() => {
      throw null;
    }),
  kill: () => later(() => process.kill(process.pid, 'SIGKILL')),
  abort: () => later(() => process.abort(), 4 * SOON_MS),
  spin: () => later(spin),
  listeners() {
    for (const signal of ['SIGTERM', 'SIGINT']) process.removeAllListeners(signal).on(signal, () => undefined);
    process.removeAllListeners('unhandledRejection');
    process.on('exit', () => undefined);
  },
  folder: () => process.chdir('/'),
  environment() {
    for (const name of Object.keys(process.env)) delete process.env[name];
  },
  // As a library of fake timers does that nobody takes back.
  clocks() {
    for (const name of ['setTimeout', 'setInterval', 'setImmediate'])
      globalThis[name] = () => ({ ref: () => undefined, unref: () => undefined });
    globalThis.clearTimeout = () => undefined;
    Date.now = () => 0;
    Math.random = () => 0;
  },
};

const ODD = {
  thenable: () =>
    Object.defineProperty({}, 'then', {
      value(resolve, reject) {
        resolve('first');
        reject(new Error('second'));
      },
    }),
  result: ({ token }) => [Symbol('result'), spin, new Proxy({}, { ownKeys: () => process.exit(0) })][token % 3],
  // What it is given is everybody's: it takes nothing away from the next one.
  context(payload, ctx) {
    for (const part of [payload, ctx, ctx.job])
      for (const name of Object.keys(part)) Reflect.deleteProperty(part, name);
  },
  // Alone, and after its end, it must not write a second time.
  complete(_, ctx) {
    const done = ctx.complete(effect(ctx, 'complete'));
    later(() => ctx.complete(effect(ctx, 'complete')));
    later(() => ctx.save({ late: true }, effect(ctx, 'late')).catch(() => undefined));
    return done;
  },
};

/** Rows that are generated, or meddled with: what is written names the row it was written for, by its token. */
const ROWS = {
  echo: (payload) => payload,
  // These two write nothing before their end: only the fence of what settles them can know that the row is another's.
  plain: ({ ms, deaf }, { signal }) => pause(ms, undefined, deaf ? {} : { signal }),
  async result({ ms, token, deaf }, { signal }) {
    await pause(ms, undefined, deaf ? {} : { signal });
    return { token };
  },
  async complete({ ms, token, deaf }, ctx) {
    await pause(ms, undefined, deaf ? {} : { signal: ctx.signal });
    return ctx.complete(effect(ctx, `complete ${token}`));
  },
  async save({ ms, token, deaf }, ctx) {
    for (let step = (ctx.checkpoint?.step ?? 0) + 1; step <= 2; step++) {
      await pause(ms / 2, undefined, deaf ? {} : { signal: ctx.signal });
      await ctx.save({ step }, effect(ctx, `save ${step} ${token}`));
    }
  },
};

const all = (group, functions, more = {}) =>
  Object.entries(functions).map(([name, run]) => job(`${group}.${name}`, run, more));

/** A loop that another has left behind is ended once the jobs beside it are past their timeouts. */
const innocent = (one) => ({ ...one, timeout: '10s' });

module.exports = [
  ...require('./jobs.cjs').map(innocent),
  ...all('dies', DIES),
  ...all('fails', FAILS, { maxAttempts: 2, timeout: '300ms' }),
  ...all('leaves', LEAVES),
  ...all('odd', ODD),
  ...all('rows', ROWS),
];
