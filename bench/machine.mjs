import { closeSync, fdatasyncSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { PROJECT } from '../scripts/project.mjs';
import { median } from './samples.mjs';

/** What the figures were measured on, in lines. */
export function describeMachine() {
  const all = cpus();
  return [
    `${all.length} × ${all[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GB of memory`,
    `${readSystem()}, kernel ${release()}`,
    `a write of 4 KB and its flush to this disk take ${measureFlush().toFixed(2)} ms (median of 100)`,
  ];
}

function readSystem() {
  try {
    return /^PRETTY_NAME="?([^"\n]+)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? process.platform;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT') return process.platform;
    throw error;
  }
}

/** Milliseconds: every commit of every server waits for this. */
function measureFlush() {
  const place = join(PROJECT, '.tmp');
  mkdirSync(place, { recursive: true });
  const folder = mkdtempSync(join(place, 'flush-'));
  const file = openSync(join(folder, 'file'), 'w');
  const block = Buffer.alloc(4096, 1);
  const values = Array.from({ length: 100 }, (_, index) => {
    const started = performance.now();
    writeSync(file, block, 0, block.length, index * block.length);
    fdatasyncSync(file);
    return performance.now() - started;
  });
  closeSync(file);
  rmSync(folder, { recursive: true });
  return median(values);
}

/** Versions of the packages that are compared. */
export function readVersions() {
  const { packages } = JSON.parse(readFileSync(join(PROJECT, 'bench', 'package-lock.json'), 'utf8'));
  const own = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8'));
  /** @param {string} name */
  const version = (name) => String(packages[`node_modules/${name}`]?.version);
  const peers = [
    'bullmq',
    'graphile-worker',
    'pg-boss',
    'sidequest',
    '@sidequest/mysql-backend',
    'mysql2',
    'pg',
    'ioredis',
  ];
  return [`rowlock ${own.version}`, ...peers.map((name) => `${name} ${version(name)}`)];
}
