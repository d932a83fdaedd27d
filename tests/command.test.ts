import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CommandOptions, type CommandResult, runCommand } from '../src/worker/command';
import { until } from './support/until';

const folder = mkdtempSync(join(tmpdir(), 'rowlock-command-'));
afterAll(() => rmSync(folder, { recursive: true }));

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const never = new AbortController().signal;

const run = (command: [string, ...string[]], options: Partial<CommandOptions> = {}): Promise<CommandResult> =>
  runCommand(
    { type: 't', command },
    { payloadText: '{}', jobId: 42, attempt: 3, signal: never, log: silent, ...options },
  );

const node = (script: string, options: Partial<CommandOptions> = {}) => run([process.execPath, '-e', script], options);
const bash = (script: string, options: Partial<CommandOptions> = {}) => run(['bash', '-c', script], options);

/** The file that a program writes once it is under way. */
const flag = (name: string): string => join(folder, name);
const pidIn = async (path: string): Promise<number> =>
  Number(await until(() => existsSync(path) && readFileSync(path, 'utf8').trim(), `${path} is written`));

function isAlive(pid: number): boolean {
  try {
    // An orphan that nobody has collected is dead too.
    return process.kill(pid, 0) && !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false; // ESRCH, or no such entry: gone
  }
}

describe('what a program gets', () => {
  test('the payload as it is on standard input, and the job in its environment', async () => {
    const payloadText = '{ "n": 9007199254740993, "s": "é😀" }';
    const echo = `const s = require('fs').readFileSync(0, 'utf8'); console.log(JSON.stringify([s, process.env.ROWLOCK_JOB_ID, process.env.ROWLOCK_ATTEMPT, process.argv.length]))`;
    expect(await node(echo, { payloadText, jobId: '9007199254740993' })).toEqual({
      kind: 'completed',
      result: JSON.stringify([payloadText, '9007199254740993', '3', 1]),
    });
  });

  test('null for a NULL payload', async () => {
    expect(await run(['cat'], { payloadText: null })).toEqual({ kind: 'completed', result: 'null' });
  });

  test('a payload that is no shell text anywhere', async () => {
    expect(await run(['cat'], { payloadText: '"$(touch /tmp/x); `id`"' })).toEqual({
      kind: 'completed',
      result: '"$(touch /tmp/x); `id`"',
    });
  });

  test('a megabyte that it does not read is no fault', async () => {
    expect(await run(['true'], { payloadText: JSON.stringify('x'.repeat(1e6)) })).toEqual({
      kind: 'completed',
      result: null,
    });
  });
});

describe('how it ended', () => {
  test.each([
    [
      'JSON is the result, big numbers exact',
      'echo "{\\"id\\": 9007199254740993}"',
      { kind: 'completed', result: '{"id":9007199254740993}' },
    ],
    ['other words are no result', 'echo done', { kind: 'completed', result: null }],
    ['bytes that are no text are no result', "printf '\\xff\\xfe'", { kind: 'completed', result: null }],
    ['stderr of a success does not matter', 'echo oops >&2', { kind: 'completed', result: null }],
    ['65 is final', 'echo "no such customer" >&2; exit 65', { kind: 'failed', error: 'no such customer' }],
    ['65 with no words', 'exit 65', { kind: 'failed', error: 'exit code 65' }],
    ['another code is retried', 'echo "try later" >&2; exit 1', { kind: 'retry', error: 'try later' }],
    ['another code with no words', 'echo "{}"; exit 3', { kind: 'retry', error: 'exit code 3' }],
    ['a signal is retried', 'kill -KILL $$', { kind: 'retry', error: 'ended by SIGKILL' }],
  ])('%s', async (_name, script, outcome) => {
    expect(await bash(script)).toEqual(outcome);
  });

  test('a missing program is retried, with the mend', async () => {
    expect(await run(['rowlock-no-such-program'])).toEqual({
      kind: 'retry',
      error: expect.stringContaining('rowlock-no-such-program is not there; install it'),
    });
  });

  test('a program that may not be executed is retried, with the mend', async () => {
    writeFileSync(flag('plain'), 'x', { mode: 0o644 });
    expect(await run([flag('plain')])).toEqual({
      kind: 'retry',
      error: expect.stringContaining('may not be executed; chmod +x'),
    });
  });

  test('the last 2,000 characters of stderr are kept, well formed', async () => {
    const outcome = await node(`process.stderr.write('😀'.repeat(50000) + '\\0end', () => process.exit(1))`);
    const { error } = outcome as { error: string };
    expect(error.length).toBeLessThanOrEqual(2_000);
    expect(error).toMatch(/😀\uFFFDend$/);
    expect(error.isWellFormed()).toBe(true);
  });

  test('half of a surrogate pair in the result, which MySQL refuses, is replaced', async () => {
    expect(await run(['echo', '["\\ud800"]'])).toEqual({ kind: 'completed', result: '["\\ufffd"]' });
  });

  test('a result over 1 MB is dropped, and says so', async () => {
    expect(await node(`console.log(JSON.stringify('x'.repeat(1024 * 1024)))`)).toEqual({
      kind: 'completed',
      result: null,
      dropped: 'it is over 1 MB',
    });
  });

  test('a gigabyte of output takes no memory', async () => {
    const before = process.memoryUsage().rss;
    const outcome = await bash('head -c 1G /dev/zero; head -c 200M /dev/zero >&2; exit 0');
    expect(outcome).toEqual({ kind: 'completed', result: null, dropped: 'it is over 1 MB' });
    expect(process.memoryUsage().rss - before).toBeLessThan(200e6);
  });
});

describe('children that it leaves behind', () => {
  test('are ended with it, and are not waited for', async () => {
    const began = Date.now();
    const outcome = await bash(`sleep 300 & echo $! > ${flag('left')}; echo 1`);
    expect(outcome).toEqual({ kind: 'completed', result: '1' });
    expect(Date.now() - began).toBeLessThan(10_000);
    const pid = await pidIn(flag('left'));
    await until(() => !isAlive(pid), 'the child has ended');
  });

  test('one that left the group and holds the pipes open is not waited for', async () => {
    const outcome = await bash(
      `setsid bash -c 'echo $$ > ${flag('away')}; exec sleep 300' & while [ ! -s ${flag('away')} ]; do :; done; echo '"said"'`,
    );
    const pid = await pidIn(flag('away'));
    const lived = isAlive(pid);
    process.kill(pid, 'SIGKILL');
    expect(outcome).toEqual({ kind: 'completed', result: '"said"' });
    expect(lived).toBe(true);
  });
});

describe('an abort', () => {
  test('asks the whole group to end, and waits until it has', async () => {
    const abort = new AbortController();
    const script = `(trap 'echo bye > ${flag('bye')}; exit' TERM; echo $BASHPID > ${flag('inner')}; while :; do read -t 0.05 < <(:); done) & wait`;
    const outcome = bash(script, { signal: abort.signal });
    const pid = await pidIn(flag('inner'));
    abort.abort();
    expect(await outcome).toEqual({ kind: 'retry', error: 'ended by SIGTERM' });
    expect(isAlive(pid)).toBe(false);
    expect(readFileSync(flag('bye'), 'utf8')).toBe('bye\n');
  });

  test('ends who ignores that', async () => {
    const abort = new AbortController();
    const outcome = bash(`trap '' TERM; echo $$ > ${flag('deaf')}; while :; do :; done`, {
      signal: abort.signal,
      killAfterMs: () => 200,
    });
    await pidIn(flag('deaf'));
    abort.abort();
    expect(await outcome).toEqual({ kind: 'retry', error: 'ended by SIGKILL' });
  });

  test('a program that completes in spite of it has completed', async () => {
    const abort = new AbortController();
    const outcome = bash(`trap 'echo 7; exit 0' TERM; echo $$ > ${flag('tidy')}; while :; do :; done`, {
      signal: abort.signal,
    });
    await pidIn(flag('tidy'));
    abort.abort();
    expect(await outcome).toEqual({ kind: 'completed', result: '7' });
  });

  test('before the start: nothing is started', async () => {
    expect(await bash(`touch ${flag('never')}`, { signal: AbortSignal.abort() })).toEqual({
      kind: 'retry',
      error: 'aborted before the program was started',
    });
    expect(existsSync(flag('never'))).toBe(false);
  });
});

test('a worker that exits takes its programs with it', async () => {
  const command = join(__dirname, '..', 'dist', 'worker', 'command.js');
  const worker = `
    const log = { debug() {}, info() {} };
    require(${JSON.stringify(command)}).runCommand({ command: ['bash', '-c', 'echo $$ > ${flag('orphan')}; exec sleep 300'] },
      { payloadText: null, jobId: 1, attempt: 1, signal: new AbortController().signal, log });
    setInterval(() => require('fs').existsSync('${flag('orphan')}') && process.exit(0), 20);`;
  expect(await node(worker)).toEqual({ kind: 'completed', result: null });
  const pid = await pidIn(flag('orphan'));
  await until(() => !isAlive(pid), 'the program has ended');
});
