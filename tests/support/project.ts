import { type ExecFileException, execFile } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const ROOT = join(__dirname, '..', '..');

const run = promisify(execFile);

/** Somebody's empty project that has Rowlock among its packages. */
export interface Project {
  folder: string;
  /** Writes a file of it; answers with its path. */
  write(name: string, content: string): string;
  /** Runs a program in it, which must exit 0; answers with what it printed. */
  run(program: string, args: string[], env?: Record<string, string>): Promise<string>;
  /** The tarball that was installed; undefined where the working tree is linked. */
  tarball: string | undefined;
}

const folders: string[] = [];

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/**
 * As `npm install rowlock` leaves it, without the network: the packed tarball is unpacked, and what it depends on, and
 * nothing else, is linked to this project's own packages.
 */
export async function installPacked(): Promise<Project> {
  const project = create();
  const pack = ['pack', '--json', '--ignore-scripts', '--pack-destination', project.folder];
  const { stdout } = await run('npm', pack, { cwd: ROOT });
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
  project.tarball = join(project.folder, filename);
  const home = join(project.folder, 'node_modules', 'rowlock');
  mkdirSync(home, { recursive: true });
  await run('tar', ['-xzf', project.tarball, '--strip-components=1', '-C', home]);
  for (const name of listProductionPackages()) link(project, name, join(ROOT, 'node_modules', name));
  linkBin(project);
  return project;
}

/** As `npm link rowlock` leaves it: the working tree itself. */
export function installLinked(extra: readonly string[] = []): Project {
  const project = create();
  link(project, 'rowlock', ROOT);
  for (const name of extra) link(project, name, join(ROOT, 'node_modules', name));
  linkBin(project);
  return project;
}

function create(): Project {
  const folder = mkdtempSync(join(tmpdir(), 'rowlock-project-'));
  folders.push(folder);
  const project: Project = {
    folder,
    tarball: undefined,
    write(name, content) {
      const path = join(folder, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, content);
      return path;
    },
    async run(program, args, env = {}) {
      const { PATH = '', HOME = '' } = process.env;
      try {
        return (await run(program, args, { cwd: folder, env: { PATH, HOME, ...env } })).stdout;
      } catch (error) {
        const { stdout = '', stderr = '' } = error as ExecFileException;
        throw new Error(`${program} ${args.join(' ')}\n${stdout}${stderr}`, { cause: error });
      }
    },
  };
  project.write('package.json', '{ "private": true }');
  return project;
}

function link({ folder }: Project, name: string, target: string): void {
  const path = join(folder, 'node_modules', name);
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(target, path);
}

/** What npm makes of `bin`. */
function linkBin({ folder }: Project): void {
  const home = join(folder, 'node_modules', 'rowlock');
  const { bin } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as { bin: { rowlock: string } };
  const script = join(home, bin.rowlock);
  chmodSync(script, 0o755);
  mkdirSync(join(folder, 'node_modules', '.bin'), { recursive: true });
  symlinkSync(script, join(folder, 'node_modules', '.bin', 'rowlock'));
}

/** By the lock file: with a package that only the development needs, a dependency that is not declared would go unseen. */
function listProductionPackages(): string[] {
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: boolean; optional?: boolean }>;
  };
  return Object.entries(lock.packages).flatMap(([path, { dev, optional }]) => {
    const name = /^node_modules\/((?:@[^/]+\/)?[^/]+)$/.exec(path)?.[1];
    return name === undefined || dev === true || optional === true ? [] : [name];
  });
}
