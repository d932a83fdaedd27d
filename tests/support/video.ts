import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { path as ffmpegPath } from '@ffmpeg-installer/ffmpeg';

export { ffmpegPath };

/** Runs ffmpeg, which has to succeed. */
export function ffmpeg(...args: string[]): void {
  execFileSync(ffmpegPath, ['-v', 'error', '-y', ...args]);
}

/** Small, with a tone. */
export function makeClip(path: string, seconds: number): void {
  const picture = ['-f', 'lavfi', '-i', `testsrc=duration=${seconds}:size=160x90:rate=25`];
  const tone = ['-f', 'lavfi', '-i', `sine=frequency=440:duration=${seconds}`];
  ffmpeg(...picture, ...tone, '-c:v', 'mpeg4', '-q:v', '5', path);
}

/** What ffmpeg tells of a file, and how many seconds can be decoded without a fault. */
export function watch(path: string): { seconds: number; told: string } {
  const { status, stderr, stdout } = spawnSync(
    ffmpegPath,
    ['-hide_banner', '-nostats', '-xerror', '-progress', 'pipe:1', '-i', path, '-f', 'null', '-'],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`${path} is not whole: ${stderr}`);
  const times = [...stdout.matchAll(/^out_time_us=(\d+)$/gm)].map(([, us]) => Number(us) / 1e6);
  return { seconds: times.at(-1) ?? 0, told: stderr };
}

/** A program in place of ffmpeg; in `script`, `$FFMPEG` is the real one. */
export function stage(path: string, script: string): string {
  writeFileSync(path, `#!/bin/sh\nFFMPEG=${ffmpegPath}\n${script}\n`, { mode: 0o755 });
  return path;
}
