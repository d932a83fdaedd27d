import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { videoTranscode } from '../src/jobs/video-transcode';
import { runJob } from '../src/testing';
import { ffmpeg, ffmpegPath, makeClip, stage, watch } from './support/video';

const folder = mkdtempSync(join(tmpdir(), 'rowlock-video-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const at = (name: string): string => join(folder, name);

/** From this all others are made, with nothing encoded anew. */
beforeAll(() => makeClip(at('clip.mp4'), 4));

const transcode = (input: string, preset: string, output: string, program = ffmpegPath) =>
  runJob(videoTranscode({ jobFilesDir: folder, ffmpegPath: program }), { input, output, preset });

test('an ffmpeg of early 2018 tells what is done under another name', async () => {
  // The pipe has its own exit code; what was made is read again by the real one all the same.
  const old = stage(at('old'), '"$FFMPEG" "$@" | sed -u -e /^out_time_ms=/d -e s/^out_time_us=/out_time_ms=/');
  const done = await transcode('clip.mp4', 'mp3', 'old.mp3', old);
  expect({ outcome: done.outcome, error: done.error }).toEqual({ outcome: 'completed' });
  expect(done.progress).not.toEqual([]);
  expect(watch(at('old.mp3')).seconds).toBeGreaterThan(3.9);
});

test.each([
  ['mp4-480p', 'shot.mp4'],
  ['mp3', 'shot.mp3'],
])('%s does not tell where and when it was shot', async (preset, output) => {
  writeFileSync(at('chapter'), ';FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1\nSTART=0\nEND=1\ntitle=Told-chapter\n');
  const told = ['location=+52.5200+013.4050/', 'creation_time=2026-11-24T12:00:00Z', 'title=Told-title'];
  const everywhere = told.flatMap((line) => ['-metadata', line, '-metadata:s', line]);
  const both = ['-i', at('clip.mp4'), '-i', at('chapter'), '-map_metadata', '1'];
  ffmpeg(...both, ...everywhere, '-t', '1', '-c', 'copy', at('shot.mov'));
  expect(watch(at('shot.mov')).told).toMatch(/\+52\.5200[\s\S]*2026-11-24[\s\S]*Told-chapter/);
  expect(await transcode('shot.mov', preset, output)).toMatchObject({ outcome: 'completed' });
  expect(watch(at(output)).told.match(/.*(52\.52|2026-11-24|Told).*/g)).toBeNull();
});

test('mp3 begins with silence where the sound begins later than the picture', async () => {
  ffmpeg('-i', at('clip.mp4'), '-itsoffset', '2', '-t', '2', '-i', at('clip.mp4'), '-map', '0:v', '-map', '1:a', '-c', 'copy', at('late.mp4'));
  const { outcome, error } = await transcode('late.mp4', 'mp3', 'late.mp3');
  expect({ outcome, error }).toEqual({ outcome: 'completed' });
  expect(watch(at('late.mp3')).seconds).toBeGreaterThan(3.8);
});
