import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildProgram } from '../src/program';
import { findCandidates } from '../src/program/candidates';
import { hasDebian, unpackDebian } from './support/debian';
import { rowlock } from './support/rowlock';
import { openTerminal, type Terminal } from './support/terminal';
import { until } from './support/until';

const CLI = join(__dirname, '..', 'dist', 'cli.js');

const whereDebianIs = hasDebian ? test : test.skip;
if (!hasDebian) process.stderr.write('rowlock: zsh and fish are not tested here; that takes the packages of Debian\n');

describe('what may stand at the cursor', () => {
  const program = buildProgram(async () => undefined);
  const find = (...typed: string[]) => findCandidates(program, typed);
  const wordsOf = (...typed: string[]): string[] => {
    const found = find(...typed);
    return found.kind === 'words' ? found.words.map(({ value }) => value) : [found.kind];
  };

  test('every command that help shows, with what it does', () => {
    const found = find('');
    expect(found).toMatchObject({ kind: 'words' });
    expect(wordsOf('')).toEqual(
      expect.arrayContaining(['migrate', 'run', 'enqueue', 'prune', 'types', 'completion', 'help']),
    );
    expect(wordsOf('')).not.toEqual(expect.arrayContaining([expect.stringMatching(/^(child|complete)$/)]));
    expect(find('li')).toEqual({ kind: 'words', words: [{ value: 'list', description: 'the newest jobs' }] });
    expect(wordsOf('help', 'sta')).toEqual(['status']);
    expect(wordsOf('help', 'status', '')).toEqual([]);
  });

  test('the options of a command, and those of all; one that was given is not offered again', () => {
    expect(wordsOf('list', '--')).toEqual(
      expect.arrayContaining(['--status', '--type', '--queue', '--limit', '--json', '--env-file', '--help']),
    );
    expect(wordsOf('list', '--json', '--js')).toEqual([]);
    expect(wordsOf('run', '--queue', 'a', '--que')).toEqual(['--queue']); // it may be repeated
    expect(wordsOf('--env-file', 'list', 'run', '--dr')).toEqual(['--dry-run']);
    expect(wordsOf('run', '--limit', '--dr')).toEqual(['--dry-run']);
  });

  test('the values of an option or an argument that has few', () => {
    const STATUSES = ['pending', 'running', 'completed', 'failed'];
    expect(wordsOf('list', '--status', '')).toEqual(STATUSES);
    expect(wordsOf('list', '--status', 'f')).toEqual(['failed']);
    expect(wordsOf('list', '--status=')).toEqual(STATUSES.map((status) => `--status=${status}`));
    expect(wordsOf('completion', '')).toEqual(['bash', 'zsh', 'fish']);
    expect(wordsOf('completion', 'bash', '')).toEqual([]);
  });

  test('job types where a job type is meant, one after the other where there may be several', () => {
    expect(find('enqueue', 'em')).toEqual({ kind: 'job types', after: '', typed: 'em' });
    expect(find('list', '--type', '')).toEqual({ kind: 'job types', after: '', typed: '' });
    expect(find('retry', '--failed', '--type=em')).toEqual({ kind: 'job types', after: '--type=', typed: 'em' });
    expect(find('run', '--type', 'a,b,e')).toEqual({ kind: 'job types', after: 'a,b,', typed: 'e' });
    expect(find('list', '--type', 'a,e')).toEqual({ kind: 'job types', after: '', typed: 'a,e' });
  });

  test('files where a file is meant', () => {
    for (const typed of [
      ['--env-file', ''],
      ['run', '--jobs', 'x'],
      ['run', '--jobs=x'],
      ['enqueue', 'a', '@x'],
    ])
      expect(find(...typed)).toEqual({ kind: 'files' });
  });

  test('nothing where anything may stand, or nothing', () => {
    for (const typed of [
      ['enqueue', 'a', '{'],
      ['show', ''],
      ['pause', ''],
      ['list', '--limit', ''],
      ['list', 'x', ''],
      ['nonsense', ''],
      ['list', '--nonsense=', ''],
      ['list', '--', '--st'],
      ['list', '--json='],
    ])
      expect(wordsOf(...typed)).toEqual([]);
    expect(find()).toMatchObject({ kind: 'words' });
  });
});

describe('in a shell', () => {
  let folder: string;
  let env: Record<string, string>;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'rowlock-completion-'));
    mkdirSync(join(folder, 'bin'));
    // Asked to complete it is rowlock; asked for anything else it writes down with what.
    writeFileSync(
      join(folder, 'bin', 'rowlock'),
      `#!/bin/sh
case "$1" in complete | completion) exec '${process.execPath}' '${CLI}' "$@" ;; esac
printf '[%s]' "$@" >"$RAN.new" && mv "$RAN.new" "$RAN"
`,
    );
    chmodSync(join(folder, 'bin', 'rowlock'), 0o755);
    writeFileSync(
      join(folder, 'jobs.cjs'),
      `console.log('a module that talks'); module.exports = [{ type: 'mail:send', run() {} }, { type: 'a b', run() {} }, { type: 'zip.all', run() {} }];`,
    );
    env = {
      PATH: `${join(folder, 'bin')}:${process.env['PATH']}`,
      HOME: folder,
      RAN: join(folder, 'ran'),
      ROWLOCK_JOBS: join(folder, 'jobs.cjs'),
      LC_ALL: 'C.UTF-8',
    };
  });

  beforeEach(() => rmSync(join(folder, 'ran'), { force: true }));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const ran = (): Promise<string> =>
    until(
      () => existsSync(join(folder, 'ran')) && readFileSync(join(folder, 'ran'), 'utf8'),
      'the command line is run',
    );

  /** What is typed, and the words that rowlock gets in the end. */
  const LINES: [string, string][] = [
    ['rowlock lis\t--sta\tfai\t', '[list][--status][failed]'],
    ['rowlock list --status=fai\t', '[list][--status=failed]'],
    [`rowlock enqueue zip\t'{"a b": 1}' --pri\t5`, '[enqueue][zip.all][{"a b": 1}][--priority][5]'],
    ['rowlock enqueue mail:s\t@job\t', '[enqueue][mail:send][@jobs.cjs]'],
    ['rowlock run --type=zip.all,mai\t', '[run][--type=zip.all,mail:send]'],
    ['rowlock --env-file job\tlis\t', '[--env-file][jobs.cjs][list]'],
    ['rowlock enqueue a\t', '[enqueue][a b]'],
  ];

  /** Types a line that has a command in it, and sees that completing it does not run that. */
  async function typeHostileLine(terminal: Terminal): Promise<void> {
    terminal.type('rowlock list --queue "$(touch evil)" --sta\t');
    await terminal.shows('--status');
    terminal.type('\x03');
    expect(existsSync(join(folder, 'evil'))).toBe(false);
  }

  describe('bash', () => {
    let terminal: Terminal;

    beforeAll(async () => {
      terminal = openTerminal('bash --norc --noprofile -i', env, folder);
      terminal.type(`source <(rowlock completion bash); PS1=ty''ping:\n`);
      await terminal.shows('typing:');
    });

    test.each(LINES)('%j', async (keys, words) => {
      terminal.type(`${keys}\n`);
      expect(await ran()).toBe(words);
    });

    test('completes a line and runs nothing of it', async () => {
      await typeHostileLine(terminal);
    });
  });

  describe('zsh', () => {
    let terminal: Terminal;

    beforeAll(async () => {
      const root = unpackDebian('zsh');
      const functions = join(unpackDebian('zsh-common'), 'usr', 'share', 'zsh', 'functions');
      const modules = execFileSync('find', [root, '-name', 'zle.so'], { encoding: 'utf8' }).trim();
      const setup = [
        `module_path=('${join(modules, '..', '..')}')`,
        `fpath=('${functions}'/*(/) '${functions}'/*/*(N/))`,
        'zmodload zsh/zle && autoload -Uz compinit && compinit -u -D',
        `source <(rowlock completion zsh); PS1=ty''ping:`,
      ].join('; ');
      terminal = openTerminal(`${join(root, 'bin', 'zsh')} -f -i`, env, folder);
      terminal.type(`${setup}\n`);
      await terminal.shows('typing:');
    }, 60_000);

    whereDebianIs.each(LINES)('%j', async (keys, words) => {
      terminal.type(`${keys}\n`);
      expect(await ran()).toBe(words);
    });

    whereDebianIs('completes a line and runs nothing of it', async () => {
      await typeHostileLine(terminal);
    });
  });

  describe('fish', () => {
    let program: string;
    let library: string;
    let functions: string;

    beforeAll(() => {
      program = join(unpackDebian('fish'), 'usr', 'bin', 'fish');
      functions = join(unpackDebian('fish-common'), 'usr', 'share', 'fish', 'functions');
      const found = execFileSync('find', [unpackDebian('libpcre2-32-0'), '-name', 'libpcre2-32.so.0'], {
        encoding: 'utf8',
      });
      library = join(found.trim(), '..');
    }, 60_000);

    /** fish itself says what TAB would offer. */
    const complete = (line: string): string[] =>
      execFileSync(
        program,
        [
          '--no-config',
          '-c',
          `set fish_function_path ${functions}; rowlock completion fish | source; complete -C $argv[1]`,
          line,
        ],
        { env: { ...env, LD_LIBRARY_PATH: library }, cwd: folder, encoding: 'utf8' },
      )
        .trimEnd()
        .split('\n');

    whereDebianIs.each<[string, string[]]>([
      ['rowlock li', ['list\tthe newest jobs']],
      ['rowlock list --sta', ['--status\tonly these']],
      ['rowlock list --status=fai', ['--status=failed']],
      ['rowlock list --status ', ['completed', 'failed', 'pending', 'running']],
      ['rowlock enqueue ', ['a b', 'mail:send', 'zip.all']],
      ['rowlock enqueue zip.all @job', ['@jobs.cjs']],
      ['rowlock --env-file job', ['jobs.cjs']],
      ['rowlock run --jobs=job', ['--jobs=jobs.cjs']],
      ['rowlock list --queue (touch evil) --sta', ['--status\tonly these']],
    ])('%j', (line, offered) => {
      expect(complete(line)).toEqual(offered);
      expect(existsSync(join(folder, 'evil'))).toBe(false);
    });
  });

  test('job types come from the settings that the line names, and from none where these are wrong', async () => {
    const ask = async (...typed: string[]) => rowlock(['complete', '--', ...typed], { env: { SMTP_URL: 'smtp://x' } });
    expect((await ask('enqueue', '')).stdout).toBe('=email.send\n');
    expect((await ask('enqueue', '--jobs', join(folder, 'jobs.cjs'), 'zip')).stdout).toBe(
      'a module that talks\n=zip.all\n',
    );
    writeFileSync(join(folder, 'some.env'), `ROWLOCK_JOBS=${join(folder, 'jobs.cjs')}\n`);
    expect((await ask(`--env-file=${join(folder, 'some.env')}`, 'enqueue', 'zip')).stdout).toContain('=zip.all\n');
    const nothing = { code: 0, stdout: '', stderr: '' };
    expect(await ask('enqueue', '--jobs', join(folder, 'none.js'), '')).toMatchObject(nothing);
    expect(await ask('--env-file', join(folder, 'none.env'), 'enqueue', '')).toMatchObject(nothing);
    expect(
      await rowlock(['complete', '--', 'enqueue', ''], { env: { DATABASE_URL: 'postgres://x', SMTP_URL: 'smtp://x' } }),
    ).toMatchObject(nothing);
  });
});

test('a script for another shell is refused', async () => {
  const { code, stderr } = await rowlock(['completion', 'tcsh']);
  expect(code).toBe(64);
  expect(stderr).toContain('Allowed choices are bash, zsh, fish');
});
