import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { hasDebian, unpackDebian } from './debian';

/** Where systemd is not installed: what its analyser and the libraries of that are in. */
const PACKAGES: [string, ...string[]][] = [
  ['systemd'],
  ['libsystemd-shared'],
  ['libapparmor1'],
  ['libip4tc2'],
  ['libkmod2'],
  ['libseccomp2'],
  ['libssl3', 'libssl3t64'],
  ['libcap2'],
];

/** Whether units can be verified here: with the systemd of this machine, or with Debian's. */
export const hasSystemd = isThere('systemd-analyze') || hasDebian;

function isThere(program: string): boolean {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0;
}

/** What `systemd-analyze verify` has to say of the units in a folder; '' when they are well. */
export function verifyUnits(folder: string, fromDebian = !isThere('systemd-analyze')): string {
  const units = readdirSync(folder).map((name) => join(folder, name));
  const { program, env } = fromDebian ? unpackAnalyser(folder) : { program: 'systemd-analyze', env: process.env };
  const { error, status, stdout, stderr } = spawnSync(program, ['verify', '--man=no', ...units], {
    env,
    encoding: 'utf8',
  });
  if (error !== undefined) throw error;
  return `${stdout}${stderr}${status === 0 ? '' : `exit code ${status}`}`;
}

function unpackAnalyser(folder: string): { program: string; env: NodeJS.ProcessEnv } {
  const roots = PACKAGES.map((names) => unpackDebian(...names));
  const files = roots.flatMap((root) =>
    readdirSync(root, { recursive: true, encoding: 'utf8' }).map((path) => join(root, path)),
  );
  const program = files.find((path) => path.endsWith('/bin/systemd-analyze'));
  if (program === undefined) throw new Error("systemd-analyze is not in Debian's package systemd any more");
  const libraries = new Set(files.filter((path) => /\.so(\.\d+)*$/.test(path)).map((path) => join(path, '..')));
  const units = files.filter((path) => path.endsWith('/system/basic.target')).map((path) => join(path, '..'));
  return {
    program,
    env: { LD_LIBRARY_PATH: [...libraries].join(delimiter), SYSTEMD_UNIT_PATH: [folder, ...units].join(delimiter) },
  };
}
