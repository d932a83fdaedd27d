import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { RowDataPacket } from 'mysql2/promise';
import { createDatabase } from './support/database';
import { hasNamespaces, OWN_PROCESSES } from './support/namespaces';
import { until } from './support/until';

// No Docker is needed: the steps are taken in a folder, with the packages that are installed here. So this
// shows that the image has all that Rowlock needs; that an image can be built of it, it does not show.

const PROJECT = join(__dirname, '..');
const read = (file: string): string => readFileSync(join(PROJECT, file), 'utf8');

interface Instruction {
  name: string;
  rest: string;
}

const instructions: Instruction[] = read('Dockerfile')
  .replaceAll(/^#.*\n/gm, '')
  .replaceAll(/\\\n/g, ' ')
  .split('\n')
  .filter((line) => line.trim() !== '')
  .map((line) => {
    const [, name = '', rest = ''] = /^(\w+)\s+(.*)$/.exec(line) ?? [];
    return { name, rest };
  });

const all = (name: string): string[] => instructions.filter((each) => each.name === name).map(({ rest }) => rest);
const last = (name: string): string => all(name).at(-1) ?? '';

test('both stages start from one Node release with long-term support', () => {
  const [build, final] = all('FROM');
  const [, major] = /^node:(\d+)-slim AS build$/.exec(build ?? '') ?? [];
  expect(final).toBe(`node:${major}-slim`);
  expect(Number(major) % 2).toBe(0);
  expect(Number(major)).toBeGreaterThanOrEqual(parseInt(JSON.parse(read('package.json')).engines.node.slice(2), 10));
});

test('it runs as a user without rights, and signals reach Node with no shell between', () => {
  const names = instructions.map(({ name }) => name);
  expect(names.lastIndexOf('USER')).toBeGreaterThan(names.lastIndexOf('RUN'));
  expect(last('USER')).toBe('node');
  const entrypoint = JSON.parse(last('ENTRYPOINT'));
  expect([...entrypoint, ...JSON.parse(last('CMD'))]).toEqual(['node', '--', '/app/dist/cli.js', 'schedule']);
  const [, check = '[]'] = /\sCMD (\[.*\])$/.exec(last('HEALTHCHECK')) ?? [];
  expect(JSON.parse(check)).toEqual([...entrypoint, 'status', '--check']);
});

describe('its steps, taken in a folder', () => {
  let top: string;
  let image: string;

  beforeAll(() => {
    top = mkdtempSync(join(tmpdir(), 'rowlock-image-'));
    image = build(top);
  }, 120_000);

  afterAll(() => rmSync(top, { recursive: true, force: true }));

  const start = (args: string[], env: Record<string, string> = {}) => {
    const [, ...entrypoint] = JSON.parse(last('ENTRYPOINT').replace('/app', `${image}/app`)) as string[];
    const { status, stdout, stderr } = spawnSync(process.execPath, [...entrypoint, ...args], {
      cwd: join(image, 'app'),
      env: { NODE_ENV: 'production', ...env },
      encoding: 'utf8',
    });
    return { status, stdout, stderr };
  };

  test('leave nothing in the image but what runs, and no secret', () => {
    expect(readdirSync(join(image, 'app')).sort()).toEqual([
      'LICENSE',
      'completion',
      'dist',
      'node_modules',
      'package.json',
      'sql',
    ]);
    expect(existsSync(join(image, 'app', 'node_modules', 'typescript'))).toBe(false);
  });

  test('put the command on the PATH', () => {
    const { version } = JSON.parse(read('package.json'));
    const PATH = `${dirname(process.execPath)}:/usr/bin:/bin`;
    const printed = execFileSync(join(image, 'usr/local/bin/rowlock'), ['--version'], { env: { PATH } });
    expect(String(printed)).toBe(`${version}\n`);
  });

  test('give it all that it needs to migrate, to run, and to tell its health', async () => {
    const { url, pool } = await createDatabase({ migrated: false });
    const env = { DATABASE_URL: url };
    expect(start(['status', '--check'], env)).toMatchObject({ status: 78 });
    expect(start(['migrate'], env)).toMatchObject({ status: 0, stderr: '' });
    expect(start(['status', '--check'], env)).toMatchObject({ status: 1 });
    await pool.query("INSERT INTO background_jobs (job_type) VALUES ('nobody.knows')");
    expect(start(['run'], env)).toMatchObject({ status: 0, stderr: '' });
    expect(start(['status', '--check'], env)).toMatchObject({ status: 0, stdout: expect.stringMatching(/^OK: /) });
  });
});

if (!hasNamespaces)
  process.stderr.write('rowlock: no process is the first of its own here; that takes root on Linux\n');

(hasNamespaces ? test : test.skip)('the first process of a container ends its run on SIGTERM', async () => {
  const { url, pool } = await createDatabase();
  const command = [process.execPath, '--', join(PROJECT, 'dist/cli.js'), 'run', '--keep-alive', '60s'];
  const container = spawn('unshare', [...OWN_PROCESSES, ...command], { env: { DATABASE_URL: url }, stdio: 'ignore' });
  const ended = new Promise((resolve) => container.once('close', resolve));
  try {
    const run = async () => {
      const [runs] = await pool.query<RowDataPacket[]>('SELECT pid, outcome FROM background_job_runs');
      return runs[0];
    };
    expect(await until(run, 'a run has started')).toEqual({ pid: 1, outcome: null });
    const [first] = readFileSync(`/proc/${container.pid}/task/${container.pid}/children`, 'utf8').split(' ');
    process.kill(Number(first), 'SIGTERM');
    expect(await ended).toBe(0);
    expect(await run()).toEqual({ pid: 1, outcome: 'stopped' });
  } finally {
    container.kill('SIGKILL');
  }
});

/** Takes the steps of each stage, and answers with the root folder of the last one. */
function build(top: string): string {
  const context = join(top, 'context');
  for (const path of sentPaths()) cpSync(join(PROJECT, path), join(context, path), { recursive: true });
  let root = '';
  for (const { name, rest } of instructions) {
    const workdir = join(root, 'app');
    if (name === 'FROM') root = join(top, / AS (\w+)$/.exec(rest)?.[1] ?? 'final');
    else if (name === 'WORKDIR') mkdirSync(join(root, rest), { recursive: true });
    else if (name === 'COPY') copy(rest, { top, context, workdir });
    else if (name === 'RUN') for (const command of rest.split(' && ')) run(command, root);
  }
  return root;
}

/** What .dockerignore lets through: all that has a line with an exclamation mark. */
function sentPaths(): string[] {
  const [first, ...rest] = read('.dockerignore').trim().split('\n');
  expect(first).toBe('*');
  return rest.map((line) => line.slice(1));
}

function copy(rest: string, { top, context, workdir }: { top: string; context: string; workdir: string }): void {
  const words = rest.split(' ');
  const from = words[0]?.startsWith('--from=') ? join(top, words.shift()?.slice('--from='.length) ?? '') : context;
  const target = words.pop() ?? '';
  for (const word of words) {
    const to = target.endsWith('/') ? join(workdir, target, basename(word)) : join(workdir, target);
    cpSync(join(from, word), to, { recursive: true });
  }
}

/** In the stage's own folder; what would fetch packages takes those that are here. */
function run(command: string, root: string): void {
  const modules = join(root, 'app', 'node_modules');
  if (command.startsWith('npm install ')) return symlinkSync(join(PROJECT, 'node_modules'), modules);
  if (command.startsWith('npm prune --omit=dev')) {
    rmSync(modules);
    for (const path of productionPackages()) {
      cpSync(join(PROJECT, path), join(root, 'app', path), { recursive: true });
    }
    return;
  }
  mkdirSync(join(root, 'usr/local/bin'), { recursive: true });
  execFileSync('sh', ['-ec', command.replaceAll(' /', ` ${root}/`)], { cwd: join(root, 'app'), stdio: 'pipe' });
}

function productionPackages(): string[] {
  const { packages } = JSON.parse(read('package-lock.json')) as {
    packages: Record<string, { dev?: boolean; devOptional?: boolean }>;
  };
  return Object.entries(packages)
    .filter(([path, { dev, devOptional }]) => path !== '' && !dev && !devOptional && existsSync(join(PROJECT, path)))
    .map(([path]) => path);
}
