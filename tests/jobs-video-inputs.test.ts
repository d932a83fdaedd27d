import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { videoTranscode } from '../src/jobs/video-transcode';
import { runJob } from '../src/testing';
import { ffmpegPath, makeClip, stage, watch } from './support/video';

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
  expect(done).toMatchObject({ outcome: 'completed' });
  expect(done.progress).not.toEqual([]);
  expect(watch(at('old.mp3')).seconds).toBeGreaterThan(3.9);
});
