import { existsSync, mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
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
  const both = ['-i', at('clip.mp4'), '-itsoffset', '2', '-i', at('clip.mp4'), '-map', '0:v', '-map', '1:a'];
  ffmpeg(...both, '-t', '4', '-c', 'copy', at('late.mp4'));
  const { outcome, error } = await transcode('late.mp4', 'mp3', 'late.mp3');
  expect({ outcome, error }).toEqual({ outcome: 'completed' });
  expect(watch(at('late.mp3')).seconds).toBeGreaterThan(3.8);
});

describe('a fault that may be of ffmpeg, not of the input, is tried again:', () => {
  test.each([
    ['a program that says nothing', 'exit 1', 'ffmpeg ended with exit code 1 on clip.mp4:\nit said nothing'],
    ['one that is no ffmpeg', 'echo "Unrecognized option nostdin" >&2; exit 1', 'Unrecognized option nostdin'],
    [
      'no memory',
      'echo "[error] file:/dev/fd/3: Cannot allocate memory" "Invalid data found when processing input" >&2; exit 1',
      'clip.mp4: Cannot allocate memory',
    ],
    ['a build without a decoder', 'exec "$FFMPEG" -c:v none "$@"', "Unknown decoder 'none'"],
  ])('%s', async (_name, script, words) => {
    const { outcome, error } = await transcode('clip.mp4', 'mp4-480p', 'out.mp4', stage(at('broken'), script));
    expect({ outcome, error }).toEqual({ outcome: 'retry', error: expect.stringContaining(words) });
  });
});

test('a sound file of another kind is told what is read', async () => {
  ffmpeg('-i', at('clip.mp4'), '-t', '1', at('song.wav'));
  const { outcome, error } = await transcode('song.wav', 'mp3', 'song.mp3');
  expect({ outcome, error }).toEqual({
    outcome: 'failed',
    error: expect.stringContaining('song.wav is in none of the formats that are read: mov,matroska,avi'),
  });
});

describe('a file that was cut off fails for good, though ffmpeg makes half a video of it:', () => {
  test.each([
    ['in.mp4', ['-movflags', '+faststart']],
    ['in.mkv', []],
    ['in.flv', ['-c:v', 'flv', '-c:a', 'mp3']],
  ])('%s', async (input, args) => {
    ffmpeg('-i', at('clip.mp4'), ...(input === 'in.flv' ? [] : ['-c', 'copy']), ...args, at(input));
    expect(await transcode(input, 'mp3', 'whole.mp3')).toMatchObject({ outcome: 'completed' });
    truncateSync(at(input), Math.floor(statSync(at(input)).size / 2));
    const { outcome, error } = await transcode(input, 'mp3', 'half.mp3');
    expect({ outcome, error }).toEqual({
      outcome: 'failed',
      error: expect.stringMatching(/ in\.\w+ ends after [12]\.\d+ s of 4\.\d+ s; put the whole file there$/),
    });
    expect(existsSync(at('half.mp3'))).toBe(false);
  });

  test('which one is not where its sound ends before its picture', async () => {
    ffmpeg(
      '-i',
      at('clip.mp4'),
      '-t',
      '1',
      '-i',
      at('clip.mp4'),
      '-map',
      '0:v',
      '-map',
      '1:a',
      '-c',
      'copy',
      at('short.mp4'),
    );
    expect(await transcode('short.mp4', 'mp3', 'short.mp3')).toMatchObject({ outcome: 'completed' });
  });

  test('nor where it does not say how long it is, or its times do not begin at 0', async () => {
    ffmpeg('-i', at('clip.mp4'), '-c', 'copy', '-f', 'matroska', '-live', '1', at('live.mkv'));
    ffmpeg('-itsoffset', '3', '-i', at('clip.mp4'), '-c', 'copy', at('later.mkv'));
    for (const input of ['live.mkv', 'later.mkv'])
      expect(await transcode(input, 'mp3', 'out.mp3')).toMatchObject({ outcome: 'completed' });
  });
});
