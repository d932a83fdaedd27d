import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { ConfigError } from '../src/errors';
import type { JobDefinition } from '../src/worker/define';
import { createRegistry } from '../src/worker/registry';

const run = () => undefined;
const registry = (...definitions: unknown[]) => createRegistry(definitions as JobDefinition[], 'jobs.js');

describe('createRegistry', () => {
  test('fills in the defaults', () => {
    const definition = { type: 'a', run };
    expect(registry(definition).get('a')).toEqual({
      type: 'a',
      kind: 'function',
      definition,
      timeoutMs: 3_600_000,
      maxAttempts: 8,
      queue: 'default',
      priority: 0,
      unique: 'kept',
    });
  });

  test('takes what is given', () => {
    const definition = {
      type: 'b',
      command: ['php', 'x.php'],
      timeout: '5m',
      maxAttempts: 0,
      backoff: ['1m', '10m'],
      queue: 'mail',
      priority: -5,
      unique: 'active',
      schedule: { cron: '0 6 * * *', timezone: 'Europe/Berlin', payload: { n: 1n } },
    };
    expect(registry(definition).get('b')).toEqual({
      type: 'b',
      kind: 'command',
      definition,
      timeoutMs: 300_000,
      maxAttempts: 1,
      backoffMs: [60_000, 600_000],
      queue: 'mail',
      priority: -5,
      unique: 'active',
      schedule: { cron: '0 6 * * *', timezone: 'Europe/Berlin', payload: { n: 1n } },
    });
  });

  test('finds a type whatever spaces the row has behind it, and lists them by name', () => {
    const known = registry({ type: 'b', run }, { type: 'a', run, payload: z.object({}) });
    expect(known.get('b  ')?.type).toBe('b');
    expect(known.get(' b')).toBeUndefined();
    expect(known.types().map(({ type }) => type)).toEqual(['a', 'b']);
  });

  test.each([
    ['no object', 5, 'definition 1 is a number, no job definition'],
    ['null', null, 'definition 1 is null'],
    ['no type', { run }, 'definition 1 type is missing'],
    ['an empty type', { type: '', run }, 'type is empty'],
    ['a type too long', { type: '😀'.repeat(256), run }, 'type is longer than 255 characters'],
    ['a type that ends with a space', { type: 'a ', run }, 'ends with a space'],
    ['a name of its own', { type: 'rowlock.prune', run }, 'begins with "rowlock.", which is kept for Rowlock itself'],
    ['nothing to run', { type: 'a' }, 'has neither run, a function, nor command'],
    ['both', { type: 'a', run, command: ['x'] }, 'has both run and command'],
    ['a run that is no function', { type: 'a', run: 'x' }, 'run is no function'],
    ['a close that is no function', { type: 'a', run, close: 1 }, 'close is no function'],
    ['an empty command', { type: 'a', command: [] }, 'command is empty'],
    ['a command in one string', { type: 'a', command: 'php x.php' }, 'command is no list of words'],
    ['a command with NUL', { type: 'a', command: ['x', '\0'] }, 'NUL'],
    ['a payload that is no schema', { type: 'a', run, payload: { to: 'string' } }, 'payload is no Standard Schema'],
    ['a schema on a command', { type: 'a', command: ['x'], payload: z.any() }, 'has the unknown key "payload"'],
    ['a misspelt key', { type: 'a', run, timout: '1m' }, 'has the unknown key "timout"; did you mean "timeout"?'],
    [
      'a misspelt key of the schedule',
      { type: 'a', run, schedule: { cron: '* * * * *', timezon: 'UTC' } },
      'did you mean "schedule.timezone"?',
    ],
    ['a timeout without unit', { type: 'a', run, timeout: '5' }, 'timeout "5" is no duration'],
    ['a timeout that is a number', { type: 'a', run, timeout: 5 }, 'timeout "5" is no duration'],
    ['a timeout of nothing', { type: 'a', run, timeout: '0' }, 'is not within 1ms and 24d'],
    ['a timeout past 32 bits', { type: 'a', run, timeout: '25d' }, 'is not within 1ms and 24d'],
    ['negative attempts', { type: 'a', run, maxAttempts: -1 }, 'maxAttempts "-1" is no whole number'],
    ['half a priority', { type: 'a', run, priority: 0.5 }, 'priority "0.5" is no whole number'],
    ['an empty backoff', { type: 'a', run, backoff: [] }, 'backoff is no list of durations'],
    ['a bad backoff', { type: 'a', run, backoff: ['1m', 'soon'] }, 'backoff "soon" is no duration'],
    ['an empty queue', { type: 'a', run, queue: '' }, 'queue is empty'],
    ['another unique', { type: 'a', run, unique: 'yes' }, 'unique "yes" is neither'],
    ['a schedule in one string', { type: 'a', run, schedule: '* * * * *' }, 'schedule is no object'],
    [
      'a bad cron text',
      { type: 'a', run, schedule: { cron: '61 * * * *' } },
      'schedule.cron "61 * * * *" is no cron text',
    ],
    ['no cron text', { type: 'a', run, schedule: {} }, 'is no cron text'],
    [
      'a bad timezone',
      { type: 'a', run, schedule: { cron: '* * * * *', timezone: 'Mars/Base' } },
      'schedule.timezone "Mars/Base" is unknown',
    ],
    [
      'a payload that cannot be stored',
      { type: 'a', run, schedule: { cron: '* * * * *', payload: run } },
      'schedule.payload cannot be stored',
    ],
  ])('refuses %s', (_name, definition, fault) => {
    expect(() => registry(definition)).toThrow(ConfigError);
    expect(() => registry(definition)).toThrow(fault);
  });

  test('names every fault at once, with the file and the type', () => {
    expect(() =>
      registry({ type: 'a', run, timeout: 'x' }, { type: 'b' }, { type: 'c', run }, { type: 'c', run }),
    ).toThrow(
      /^jobs\.js: job type "a" timeout .*; job type "b" has neither .*; job type "c" is defined twice; rename one$/,
    );
  });
});

/** By the compiled package in a process of its own: Jest has no import() of ES modules. */
describe('loadJobsFile', () => {
  const folder = mkdtempSync(join(tmpdir(), 'rowlock-jobs-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  async function load(name: string, content?: string): Promise<string> {
    const path = join(folder, name);
    if (content !== undefined) writeFileSync(path, content);
    const module = join(__dirname, '..', 'dist', 'worker', 'jobs-file.js');
    const script = `require(process.argv[1]).loadJobsFile(process.argv[2]).then(
      (jobs) => console.log('types', ...jobs.map((job) => job?.type)), (error) => console.log(error.name, error.message))`;
    const { stdout } = await promisify(execFile)(process.execPath, ['-e', script, module, path]);
    return stdout.trim();
  }

  test.each([
    ['esm.mjs', "await null; export default [{ type: 'a', run() {} }]"],
    ['cjs.cjs', "module.exports = [{ type: 'a', run() {} }]"],
    [
      'compiled.cjs',
      "Object.defineProperty(exports, '__esModule', { value: true }); exports.default = [{ type: 'a', run() {} }]",
    ],
    ['with space & 100%#.cjs', "module.exports = [{ type: 'a', run() {} }]"],
    ['commands.json', '[{ "type": "a", "command": ["true"] }]'],
  ])('takes %s', async (name, content) => {
    expect(await load(name, content)).toBe('types a');
  });

  test.each([
    ['throws.mjs', "throw new Error('no database\\nhere')", 'fails when it is loaded: no database here; mend it'],
    ['throws-null.cjs', 'throw null', 'fails when it is loaded: null; mend it'],
    ['syntax.mjs', 'export default [', 'fails when it is loaded: SyntaxError'],
    ['needs.cjs', "require('not-there')", "Cannot find module 'not-there'"],
    ['none.mjs', 'export const jobs = []', 'has no default export; write export default'],
    ['empty.cjs', '', 'has a default export that is no list'],
    ['one.mjs', "export default { type: 'a' }", 'has a default export that is no list'],
    ['jobs.ts', 'export default []', 'compile it to JavaScript'],
    ['bad.json', '[{', 'cannot be read'],
    ['object.json', '{}', 'holds no list'],
    ['missing.js', undefined, 'there is no job module'],
  ])('refuses %s in one line', async (name, content, fault) => {
    const said = await load(name, content);
    expect(said).toMatch(/^ConfigError .*$/);
    expect(said).toContain(fault);
    expect(said).toContain(name);
  });

  test('refuses a folder', async () => {
    mkdirSync(join(folder, 'folder'));
    expect(await load('folder')).toContain('is no file');
  });
});
