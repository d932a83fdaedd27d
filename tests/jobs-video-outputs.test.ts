import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { videoTranscode } from '../src/jobs/video-transcode';
import { runJob } from '../src/testing';
import { ffmpegPath, makeClip, stage } from './support/video';

const root = mkdtempSync(join(tmpdir(), 'rowlock-video-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const folder = join(root, 'files');
const at = (name: string): string => join(folder, name);

beforeAll(() => {
  mkdirSync(folder);
  makeClip(at('clip.mp4'), 1);
});

const transcode = (output: string, input = 'clip.mp4', program = ffmpegPath) =>
  runJob(videoTranscode({ jobFilesDir: folder, ffmpegPath: program }), { input, output, preset: 'mp3' });

test.each([
  ['a name that is too long', `${'a'.repeat(300)}/out.mp3`, 'a name in it is too long'],
  ['a file for a folder', 'clip.mp4/out.mp3', 'a part of it is a file'],
  ['a link that leads nowhere', 'nowhere/out.mp3', 'a link in it leads nowhere'],
  ['a link to itself', 'loop/out.mp3', 'a link in it leads to itself'],
])('an output with %s fails for good, without a path of this host', async (_name, output, words) => {
  rmSync(at('nowhere'), { force: true });
  rmSync(at('loop'), { force: true });
  symlinkSync(join(root, 'none'), at('nowhere'));
  symlinkSync('loop', at('loop'));
  const { outcome, error } = await transcode(output);
  expect({ outcome, error }).toEqual({ outcome: 'failed', error: expect.stringContaining(words) });
  expect(error).not.toContain(root);
});

test('no folder is made for an input that is not there', async () => {
  expect(await transcode('made/for/nothing/out.mp3', 'none.mp4')).toMatchObject({ outcome: 'failed' });
  expect(existsSync(at('made'))).toBe(false);
});

test('what a dead letter left goes after a day, and the file of another job stays', async () => {
  mkdirSync(at('left'));
  const dead = '.film.mp4.99-0123abcd.tmp';
  const others = ['.film.mp4.98-0123abcd.tmp', '.out.mp3.1-x.mp3.7-0123abcd.tmp'];
  for (const name of [dead, ...others]) writeFileSync(at(join('left', name)), 'half');
  const yesterday = Date.now() / 1_000 - 90_000;
  utimesSync(at(join('left', dead)), yesterday, yesterday);
  expect(await transcode('left/out.mp3')).toMatchObject({ outcome: 'completed' });
  expect(readdirSync(at('left')).sort()).toEqual([...others, 'out.mp3']);
});

test('a folder that becomes a link while ffmpeg writes leads nothing out', async () => {
  mkdirSync(at('ready'));
  mkdirSync(join(root, 'elsewhere'));
  // The moment is that of the file being whole.
  const swap = `mv "${at('ready')}" "${at('moved')}"; ln -s "${join(root, 'elsewhere')}" "${at('ready')}"; cp "${at('moved')}"/.o* "${join(root, 'elsewhere')}"`;
  const program = stage(
    join(root, 'swap'),
    `"$FFMPEG" "$@" || exit; case "$*" in *"-c copy -f null"*out.mp3*|*"out.mp3"*"-f null"*) ${swap};; esac`,
  );
  const { outcome, error } = await transcode('ready/out.mp3', 'clip.mp4', program);
  expect({ outcome, error }).toEqual({
    outcome: 'failed',
    error: expect.stringContaining('leads out of JOB_FILES_DIR'),
  });
  expect(existsSync(join(root, 'elsewhere', 'out.mp3'))).toBe(false);
});
