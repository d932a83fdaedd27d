import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { toCronCommand, toShellCommand } from '../src/commands/crontab/cron-line';
import { tryAsCron } from '../src/commands/crontab/cron-trial';
import { findSteadyNode, namesVersion } from '../src/commands/crontab/steady-path';
import { createDatabase, type TestDatabase } from './support/database';
import { type Ended, rowlock } from './support/rowlock';

const CLI = join(__dirname, '..', 'dist', 'cli.js');
const NODE = findSteadyNode(process.execPath);
/** What is said where node was installed by a version manager. */
const UPGRADE = namesVersion(NODE) ? `rowlock: ${NODE} names a version; print the line anew after an upgrade\n` : '';

let db: TestDatabase;
let folder: string;

beforeAll(async () => {
  db = await createDatabase();
});

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'rowlock-crontab-')));
  write('.env', `DATABASE_URL=${db.url}\n`);
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** The loop of do_command.c, as Debian's cron has it. */
function readAsCronDoes(command: string): string {
  let text = '';
  let escaped = false;
  for (const letter of command) {
    text += letter;
    if (escaped) {
      if (letter === '%') text = `${text.slice(0, -2)}%`;
      escaped = false;
    } else if (letter === '\\') escaped = true;
    else if (letter === '%') return text.slice(0, -1);
  }
  return text;
}

const write = (name: string, content: string): void => writeFileSync(join(folder, name), content);

const crontab = (args: string[] = [], env: Record<string, string> = {}): Promise<Ended> =>
  rowlock(['crontab', ...args], { cwd: folder, env });

/** Nothing that could get into a crontab, and one line on why. */
function expectRefusal({ code, stdout, stderr }: Ended, exitCode: number, words: string): void {
  expect({ code, stdout }).toEqual({ code: exitCode, stdout: '' });
  expect(stderr).toMatch(/^rowlock: .+\n$/);
  expect(stderr).toContain(words);
}

test('the line alone is on stdout, with absolute paths', async () => {
  expect(await crontab()).toEqual({
    code: 0,
    signal: null,
    stdout: `* * * * * ${NODE} -- ${CLI} run --env-file ${folder}/.env\n`,
    stderr: UPGRADE,
  });
});

test('options of a run are in the line', async () => {
  write('jobs.json', '[]');
  write('my settings.env', `DATABASE_URL=${db.url}\n`);
  const options = ['--keep-alive', '55s', '--queue', 'mail', '--queue', '5% off', '--jobs', './jobs.json'];
  const { stdout } = await crontab([...options, '--env-file', 'my settings.env', '--fail-on-error']);
  expect(stdout).toBe(
    `* * * * * ${NODE} -- ${CLI} run --env-file '${folder}/my settings.env' --keep-alive 55s --queue 'mail,5\\% off' --jobs ${folder}/jobs.json --fail-on-error\n`,
  );
});

test('a link that a deployment switches stands in the line, and not where it leads today', () => {
  symlinkSync(join(CLI, '..'), join(folder, 'current'));
  const script = join(folder, 'current', 'cli.js');
  const { stdout } = spawnSync(process.execPath, ['--', script, 'crontab'], { cwd: folder, env: {}, encoding: 'utf8' });
  expect(stdout).toContain(` -- ${script} run `);
});

describe('nothing is printed', () => {
  test('where the settings are in the environment only', async () => {
    rmSync(join(folder, '.env'));
    expectRefusal(await crontab([], { DATABASE_URL: db.url }), 78, 'cron has none of the settings in this environment');
  });

  test('where the env file lacks what the environment has', async () => {
    write('.env', 'LOG_LEVEL=warn\n');
    expectRefusal(
      await crontab([], { DATABASE_URL: db.url }),
      78,
      'under cron the line fails: DATABASE_URL is not set',
    );
  });

  test('where the env file has paths that are relative to this folder', async () => {
    write('.env', `DATABASE_URL=${db.url}\nROWLOCK_JOBS=./jobs.json\nREPORT_DIR=reports\n`);
    write('jobs.json', '[]');
    expectRefusal(await crontab(), 78, `ROWLOCK_JOBS, REPORT_DIR in ${folder}/.env are relative paths`);
  });

  test('where the server does not answer', async () => {
    write('.env', 'DATABASE_URL=mysql://app:s3cret@127.0.0.1:1/app\n');
    const refused = await crontab();
    expectRefusal(refused, 69, 'under cron the line fails: the database server at 127.0.0.1:1 does not answer');
    expect(refused.stderr).not.toContain('s3cret');
  });

  test('where a job type is not known', async () => {
    expectRefusal(await crontab(['--type', 'mail.send']), 64, '--type mail.send: no job function here has this type');
  });

  test('where an option is wrong', async () => {
    expectRefusal(await crontab(['--keep-alive', 'soon']), 64, '--keep-alive "soon" is no duration');
    expectRefusal(await crontab(['--queue', 'a\nb']), 64, 'a line break cannot stand in a crontab line');
    expectRefusal(await crontab(['--queue', 'q'.repeat(1_000)]), 64, 'bytes, and cron takes 998 at most');
  });

  test('for a user that may look and not run', async () => {
    write('.env', `DATABASE_URL=${db.urls.viewer}\n`);
    expectRefusal(await crontab(), 78, 'cannot run jobs, it lacks INSERT, UPDATE on background_jobs');
  });

  test('where the job module needs what cron does not have', async () => {
    write('jobs.mjs', `export default process.env.API_KEY ? [] : (() => { throw new Error('no API_KEY') })();\n`);
    expectRefusal(await crontab(['--jobs', 'jobs.mjs'], { API_KEY: 'k' }), 78, 'no API_KEY');
  });
});

test('it is tried with the environment and in the folder that cron has', async () => {
  write(
    'jobs.cjs',
    `const { writeFileSync } = require('node:fs');
     const { argv, cwd, env, stdin } = process;
     if (argv.includes('--dry-run')) writeFileSync(__dirname + '/seen', JSON.stringify({ cwd: cwd(), env, isTTY: stdin.isTTY ?? false }));
     module.exports = [];`,
  );
  expect(await crontab(['--jobs', 'jobs.cjs'], { LANG: 'C.UTF-8', API_KEY: 'k' })).toMatchObject({ code: 0 });
  const { cwd, env, isTTY } = JSON.parse(readFileSync(join(folder, 'seen'), 'utf8'));
  const { homedir, username } = userInfo();
  // What the shell adds, and Node where the coverage of these tests is measured.
  const { PWD: _pwd, OLDPWD: _oldpwd, SHLVL: _shlvl, _: _last, NODE_V8_COVERAGE: _coverage, ...bare } = env;
  expect({ cwd, isTTY }).toEqual({ cwd: realpathSync(homedir), isTTY: false });
  expect(bare).toEqual({
    SHELL: '/bin/sh',
    PATH: '/usr/bin:/bin',
    HOME: homedir,
    LOGNAME: username,
    DATABASE_URL: db.url,
  });
});

test('it writes nothing', async () => {
  await db.pool.query("INSERT INTO background_jobs (job_type) VALUES ('test.echo')");
  expect(await crontab()).toMatchObject({ code: 0 });
  const [rows] = await db.pool.query('SELECT status, attempts FROM background_jobs');
  expect(rows).toEqual([{ status: 'pending', attempts: 0 }]);
  const [runs] = await db.pool.query('SELECT id FROM background_job_runs');
  expect(runs).toEqual([]);
});

test('what cron will not have, or not find, is told beside the line', async () => {
  const here = '/bin/sh';
  write(
    'jobs.json',
    JSON.stringify([
      { type: 'a', command: ['rowlock-test-php', 'a.php'] },
      { type: 'b', command: ['sh'] },
      { type: 'c', command: [here] },
    ]),
  );
  const { code, stdout, stderr } = await crontab(['--jobs', 'jobs.json', '--queue', 'mail'], {
    ROWLOCK_GRACE: '5s',
    ROWLOCK_QUEUE: 'other',
  });
  expect(code).toBe(0);
  expect(stdout.split('\n')).toHaveLength(2);
  expect(stderr).toBe(
    `rowlock: cron will not have ROWLOCK_GRACE of this shell, but what ${folder}/.env says\n` +
      "rowlock: cron's PATH is /usr/bin:/bin, where the program rowlock-test-php of a is not; write its absolute path\n" +
      UPGRADE,
  );
});

test('each command of crontab.example does what it says', async () => {
  const example = readFileSync(join(__dirname, '..', 'crontab.example'), 'utf8');
  const commands = [...example.matchAll(/^(?:# )?[\d*/]+ [\d*]+ \* \* \* (.*)$/gm)].map(([, command = '']) =>
    readAsCronDoes(command)
      .replaceAll('/usr/bin/node -- /srv/rowlock/dist/cli.js', `${process.execPath} -- ${CLI}`)
      .replaceAll('/srv/rowlock/.env', join(folder, '.env'))
      .replace(/ run .*$/, '$& --dry-run'),
  );
  expect(commands).toHaveLength(5);
  for (const command of commands) await tryAsCron(command);
  const [jobs] = await db.pool.query("SELECT unique_key FROM background_jobs WHERE job_type = 'report.generate'");
  expect(jobs).toEqual([{ unique_key: expect.stringMatching(/^daily-\d{4}-\d\d-\d\d$/) }]);
});

test('a line that does not end is ended', async () => {
  await expect(tryAsCron('sleep 60', 100)).rejects.toThrow('under cron the line does not end within 0.1 s');
  await expect(tryAsCron('/no/such/node x')).rejects.toThrow(/under cron the line fails: .*not found/);
});

describe('words', () => {
  const word = fc.string({ unit: fc.constantFrom('%', '\\', "'", '"', ' ', '$', '`', '*', '#', 'é', '~', 'a', '=') });

  test('reach the program as they are, whatever is in them', () => {
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 20 }), (words) => {
        const tried = toShellCommand(['/usr/bin/printf', '%s\\n', ...words]);
        const command = readAsCronDoes(toCronCommand(tried));
        expect(command).toBe(tried);
        const { stdout } = spawnSync('/bin/sh', ['-c', command], { encoding: 'utf8' });
        expect(stdout).toBe(words.map((each) => `${each}\n`).join(''));
      }),
      { numRuns: 100 },
    );
  });
});

describe('the path of node', () => {
  test('that an upgrade takes away is known', () => {
    for (const path of [
      '/home/ann/.nvm/versions/node/v20.20.2/bin/node',
      '/home/ann/.asdf/installs/nodejs/22.1.0/bin/node',
      '/opt/homebrew/Cellar/node/24.1.0_1/bin/node',
    ]) {
      expect(namesVersion(path)).toBe(true);
      expect(findSteadyNode(path)).toBe(path);
    }
    for (const path of ['/usr/bin/node', '/usr/local/bin/node', '/srv/app2/node'])
      expect(namesVersion(path)).toBe(false);
  });

  test('is the one that stays when its link is switched', () => {
    const cellar = join(folder, 'Cellar/node/24.1.0/bin');
    mkdirSync(cellar, { recursive: true });
    write('Cellar/node/24.1.0/bin/node', '');
    mkdirSync(join(folder, 'bin'));
    expect(findSteadyNode(join(cellar, 'node'), [join(folder, 'bin')])).toBe(join(cellar, 'node'));
    symlinkSync(join(cellar, 'node'), join(folder, 'bin/node'));
    expect(findSteadyNode(join(cellar, 'node'), [join(folder, 'bin')])).toBe(join(folder, 'bin/node'));
  });
});
