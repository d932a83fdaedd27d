import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { hasDebian, unpackDebian } from './debian';

if (!hasDebian) process.stderr.write('rowlock: promtool reads no metrics here; that takes the packages of Debian\n');

/** A sample by its name and labels, such as `rowlock_jobs{queue="mail",status="due"}`; labels in order of their names. */
export type Samples = Record<string, number>;

/** Reads Prometheus' text format; labels that are left out are not looked at. */
export function readSamples(text: string, leftOut: readonly string[] = []): Samples {
  const samples: Samples = {};
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const [, name = '', labels = '', value = ''] = /^(\w+)(?:\{(.*)\})? (\S+)$/s.exec(line) ?? [];
    if (name === '') throw new Error(`no sample: ${line}`);
    const kept = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/gs)]
      .filter(([, label = '']) => !leftOut.includes(label))
      .map(([pair]) => pair)
      .sort();
    samples[kept.length === 0 ? name : `${name}{${kept.join(',')}}`] = Number(value);
  }
  return samples;
}

/** What promtool has to say against this text; empty: nothing, or there is no promtool here. */
export function findFaults(text: string): string {
  if (!hasDebian) return '';
  const promtool = join(unpackDebian('prometheus'), 'usr', 'bin', 'promtool');
  const { status, stdout, stderr } = spawnSync(promtool, ['check', 'metrics'], { input: text, encoding: 'utf8' });
  return status === 0 ? '' : `${status}: ${stdout}${stderr}`;
}

/** A time in seconds, as Prometheus has it, is between two in milliseconds. */
export function expectBetween(seconds: number | undefined, from: number, to: number): void {
  const ms = Math.round((seconds ?? 0) * 1_000);
  expect(ms).toBeGreaterThanOrEqual(from);
  expect(ms).toBeLessThanOrEqual(to);
}
