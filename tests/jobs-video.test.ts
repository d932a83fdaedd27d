import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { videoTranscode } from '../src/jobs/video-transcode';
import { runJob } from '../src/testing';
import { endPauses, expireLeases, isAlive } from './support/life';
import { until } from './support/until';
import { ffmpegPath, watch } from './support/video';
import { openWorkshop, type Workshop } from './support/workshop';

const root = mkdtempSync(join(tmpdir(), 'rowlock-video-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Short and small, and made once. */
const clip = join(root, 'clip.mp4');
const silent = join(root, 'silent.mkv');
beforeAll(() => {
  makeClip(clip, { seconds: 2, size: '160x90', sound: true });
  makeClip(silent, { seconds: 1, size: '161x91', sound: false });
});

function makeClip(path: string, { seconds, size, sound }: { seconds: number; size: string; sound: boolean }): void {
  const picture = ['-f', 'lavfi', '-i', `testsrc=duration=${seconds}:size=${size}:rate=25`];
  const tone = sound ? ['-f', 'lavfi', '-i', `sine=frequency=440:duration=${seconds}`] : [];
  execFileSync(ffmpegPath, ['-v', 'error', ...picture, ...tone, '-c:v', 'mpeg4', '-q:v', '5', path]);
}

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(root, 'files-'));
  copyFileSync(clip, join(folder, 'clip.mp4'));
});

const transcode = (payload: unknown, options: Parameters<typeof runJob>[2] = {}, program = ffmpegPath) =>
  runJob(videoTranscode({ jobFilesDir: folder, ffmpegPath: program }), payload, options);

const order = { input: 'clip.mp4', output: 'out.mp4', preset: 'mp4-720p' };
const files = () => readdirSync(folder).sort();

describe('a video is made', () => {
  test.each([
    ['mp4-1080p', 'out.mp4', /Video: h264.* yuv420p.* 160x90[\s\S]*Audio: aac/],
    ['mp4-720p', 'out.mp4', /Video: h264.* yuv420p.* 160x90[\s\S]*Audio: aac/],
    ['mp4-480p', 'out.MP4', /Video: h264.* yuv420p.* 160x90[\s\S]*Audio: aac/],
    ['webm-720p', 'out.webm', /Video: vp9[\s\S]*Audio: opus/],
    ['mp3', 'out.mp3', /Audio: mp3/],
  ])('with the preset %s', async (preset, output, streams) => {
    const done = await transcode({ ...order, preset, output });
    expect(done).toMatchObject({
      outcome: 'completed',
      result: { output, bytes: statSync(join(folder, output)).size },
    });
    expect(done.progress).not.toEqual([]);
    expect(done.progress.filter((fraction) => !(fraction > 0 && fraction <= 1))).toEqual([]);
    const seen = watch(join(folder, output));
    expect(seen.told).toMatch(streams);
    expect(seen.seconds).toBeGreaterThan(1.9);
    expect(files()).toEqual(['clip.mp4', output]);
  });

  test('without sound, of odd lines, in a folder that was not there', async () => {
    copyFileSync(silent, join(folder, 'in.mkv'));
    expect(await transcode({ input: 'in.mkv', output: '2026/11/out.mp4', preset: 'mp4-480p' })).toMatchObject({
      outcome: 'completed',
    });
    expect(watch(join(folder, '2026/11/out.mp4')).told).toMatch(/Video: h264.* 16[02]x90/);
  });

  test('in place of an older file, with a name that a shell or ffmpeg would take for something else', async () => {
    const input = '-i $(x) "é" %d.mp4';
    copyFileSync(clip, join(folder, input));
    const output = '-y; rm %03d out.mp4';
    writeFileSync(join(folder, output), 'an older one');
    expect(await transcode({ ...order, input, output })).toMatchObject({ outcome: 'completed' });
    expect(watch(join(folder, output)).seconds).toBeGreaterThan(1.9);
    expect(files()).toEqual([input, output, 'clip.mp4'].sort());
  });

  test('in place of a symbolic link, and not where that leads to', async () => {
    writeFileSync(join(root, 'elsewhere'), 'stays');
    symlinkSync(join(root, 'elsewhere'), join(folder, 'out.mp4'));
    expect(await transcode(order)).toMatchObject({ outcome: 'completed' });
    expect(readFileSync(join(root, 'elsewhere'), 'utf8')).toBe('stays');
  });
});

describe('fails for good', () => {
  test.each([
    ['a preset that there is none of', { ...order, preset: '-vf' }, 'preset: is none of mp4-1080p'],
    ['an output of another kind', { ...order, output: 'out.avi' }, 'output: does not end in .mp4, as mp4-720p needs'],
    ['a hidden output', { ...order, output: '.out.mp4' }, 'output: ends in no file name'],
    ['an absolute path', { ...order, input: '/etc/passwd' }, 'input: is no path within JOB_FILES_DIR'],
    ['arguments', { ...order, args: ['-y'] }, 'Unrecognized key: "args"'],
    ['null', null, 'expected object'],
    ['an input that is not there', { ...order, input: 'none.mp4' }, 'there is no file none.mp4 in JOB_FILES_DIR'],
    ['an input outside', { ...order, input: '../clip.mp4' }, '../clip.mp4 leads out of JOB_FILES_DIR'],
    ['an output outside', { ...order, output: 'a/../../x.mp4' }, 'a/../../x.mp4 leads out of JOB_FILES_DIR'],
    ['an output that is the input', { ...order, output: './clip.mp4' }, './clip.mp4 is the input itself'],
    ['an output that is a folder', { ...order, output: 'folder.mp4' }, 'folder.mp4 is a folder'],
    ['a folder', { ...order, input: '.' }, /is no plain file|leads out/],
  ])('with %s', async (_name, payload, fault) => {
    mkdirSync(join(folder, 'folder.mp4'));
    const { outcome, error } = await transcode(payload);
    expect({ outcome, error }).toEqual({
      outcome: 'failed',
      error: typeof fault === 'string' ? expect.stringContaining(fault) : expect.stringMatching(fault),
    });
    expect(files()).toEqual(['clip.mp4', 'folder.mp4']);
  });

  test('through a symbolic link that leads out of the folder', async () => {
    symlinkSync(clip, join(folder, 'link.mp4'));
    symlinkSync(root, join(folder, 'way'));
    for (const payload of [
      { ...order, input: 'link.mp4' },
      { ...order, input: 'way/clip.mp4' },
      { ...order, output: 'way/out.mp4' },
    ])
      expect(await transcode(payload)).toMatchObject({
        outcome: 'failed',
        error: expect.stringContaining('leads out of JOB_FILES_DIR'),
      });
    expect(existsSync(join(root, 'out.mp4'))).toBe(false);
  });

  test.each<[string, () => Buffer | string, string]>([
    ['empty', () => '', 'in.mp4 is empty'],
    ['text', () => 'no video at all\n'.repeat(1_000), 'in.mp4 is no video that ffmpeg can read'],
    ['binary', () => Buffer.alloc(100_000, 7), 'in.mp4 is no video that ffmpeg can read'],
    ['the half of a video', () => readFileSync(clip).subarray(0, 20_000), 'in.mp4 is no video that ffmpeg can read'],
    ['a playlist', () => `#EXTM3U\n#EXTINF:2,\nfile://${clip}\n#EXT-X-ENDLIST\n`, 'in.mp4 is no video'],
    ['a list to be joined', () => `ffconcat version 1.0\nfile ${clip}\n`, 'in.mp4 is in none of the formats'],
  ])('with an input that is %s', async (_name, content, fault) => {
    writeFileSync(join(folder, 'in.mp4'), content());
    const { outcome, error = '' } = await transcode({ ...order, input: 'in.mp4' });
    expect({ outcome, error }).toEqual({ outcome: 'failed', error: expect.stringContaining(fault) });
    expect(error).not.toMatch(/dev.fd|0x|rowlock-video/);
    expect(files()).toEqual(['clip.mp4', 'in.mp4']);
  });

  test('where there is no sound to be taken', async () => {
    copyFileSync(silent, join(folder, 'in.mkv'));
    expect(await transcode({ input: 'in.mkv', output: 'out.mp3', preset: 'mp3' })).toMatchObject({
      outcome: 'failed',
      error: expect.stringContaining('in.mkv has no sound that ffmpeg can read'),
    });
  });
});

/** Writes something into the output, which is the last argument. */
const HALF = 'for last; do :; done; echo half > "$(expr "$last" : "file:\\(.*\\)")"';

/** ffmpeg, but for what `script` does when a file is to be written; `$FFMPEG` is the real one. */
function stubborn(script: string): string {
  const path = join(folder, '..', `ffmpeg-${Math.random().toString(36).slice(2)}`);
  writeFileSync(
    path,
    `#!/bin/sh\nFFMPEG=${ffmpegPath}\ncase "$*" in *"-f null"*) exec $FFMPEG "$@" ;; esac\n${script}\n`,
  );
  chmodSync(path, 0o755);
  return path;
}

describe('is tried again', () => {
  test('where ffmpeg is not there, or may not be executed', async () => {
    expect(await transcode(order, {}, join(root, 'none'))).toMatchObject({
      outcome: 'retry',
      error: expect.stringMatching(/there is no program .*none on this host; install ffmpeg, or correct FFMPEG_PATH/),
    });
    const plain = join(root, 'plain');
    writeFileSync(plain, '');
    chmodSync(plain, 0o644);
    expect(await transcode(order, {}, plain)).toMatchObject({
      outcome: 'retry',
      error: expect.stringContaining('chmod +x'),
    });
    expect(files()).toEqual(['clip.mp4']);
  });

  test('where ffmpeg gives up, with its last words', async () => {
    const program = stubborn(`${HALF}; echo "[fatal] no room left" >&2; exit 3`);
    expect(await transcode(order, {}, program)).toMatchObject({
      outcome: 'retry',
      error: expect.stringMatching(/ffmpeg ended with exit code 3 on clip\.mp4:\n\[fatal\] no room left/),
    });
    expect(files()).toEqual(['clip.mp4']);
  });

  test('where ffmpeg dies', async () => {
    expect(await transcode(order, {}, stubborn('kill -SEGV $$'))).toMatchObject({
      outcome: 'retry',
      error: expect.stringContaining('ffmpeg ended by SIGSEGV on clip.mp4:\nSegmentation fault'),
    });
  });

  test('where the folder cannot be entered', async () => {
    const definition = videoTranscode({ jobFilesDir: join(root, 'unmounted'), ffmpegPath });
    expect(await runJob(definition, order)).toMatchObject({
      outcome: 'retry',
      error: expect.stringContaining('JOB_FILES_DIR cannot be entered (ENOENT)'),
    });
  });

  /** Only root may mount; elsewhere there is no disk that can be filled. */
  const small = join(root, 'small');
  mkdirSync(small);
  const canMount =
    spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', small], { stdio: 'ignore' }).status === 0;
  afterAll(() => {
    if (canMount) execFileSync('umount', [small]);
  });

  const inSmall = canMount ? test : test.skip;
  inSmall.each([
    ['mp4-480p', 'out.mp4'],
    ['webm-720p', 'out.webm'],
    ['mp3', 'out.mp3'],
  ])('where the disk is full, with the preset %s', async (preset, output) => {
    copyFileSync(clip, join(small, 'clip.mp4'));
    writeFileSync(join(small, 'filler'), Buffer.alloc(256 * 1024 - statSync(clip).size - 8_192));
    const definition = videoTranscode({ jobFilesDir: small, ffmpegPath });
    const ended = await runJob(definition, { ...order, preset, output });
    expect(ended).toMatchObject({ outcome: 'retry', error: expect.stringMatching(/No space left on device/) });
    expect(readdirSync(small).sort()).toEqual(['clip.mp4', 'filler']);
  });
});

/** Writes its pid and something into the output, then goes on until it is ended. */
const SLOW = `${HALF}; echo $$ > "$(dirname "$0")/pid"; exec sleep 60`;

describe('an abort', () => {
  test.each(['timeout', 'cancelled', 'stopping'] as const)(
    'as %s ends ffmpeg and removes its file',
    async (abortAs) => {
      const abort = new AbortController();
      const program = stubborn(SLOW);
      const pidFile = join(root, 'pid');
      rmSync(pidFile, { force: true });
      const ended = transcode(order, { signal: abort.signal, abortAs }, program);
      const pid = await until(() => existsSync(pidFile) && Number(readFileSync(pidFile, 'utf8')), 'ffmpeg writes');
      expect(files()).toHaveLength(2);
      abort.abort();
      expect((await ended).outcome).toBe({ timeout: 'retry', cancelled: 'failed', stopping: 'released' }[abortAs]);
      await until(() => !isAlive(pid), 'ffmpeg has ended');
      expect(files()).toEqual(['clip.mp4']);
    },
  );
});

describe('the next attempt', () => {
  test('removes what an earlier one has left of this output, and nothing else', async () => {
    writeFileSync(join(folder, '.out.mp4.1-deadbeef.tmp'), 'half');
    writeFileSync(join(folder, '.out.mp4.12-deadbeef.tmp'), "another job's");
    expect(await transcode(order, { id: 1, attempt: 2 })).toMatchObject({ outcome: 'completed' });
    expect(files()).toEqual(['.out.mp4.12-deadbeef.tmp', 'clip.mp4', 'out.mp4']);
  });

  test('only puts in place what an earlier one has finished, and does nothing where that is done', async () => {
    const stopped = await transcode(order, { stopping: true });
    expect(stopped.outcome).toBe('released');
    expect(files()).toEqual([expect.stringMatching(/^\.out\.mp4\.1-[0-9a-f]{8}\.tmp$/), 'clip.mp4']);
    const again = { attempt: 2, checkpoint: stopped.checkpoint };
    const noFfmpeg = join(root, 'none');
    expect(await transcode(order, again, noFfmpeg)).toMatchObject({ outcome: 'completed' });
    expect(files()).toEqual(['clip.mp4', 'out.mp4']);
    const { ino } = statSync(join(folder, 'out.mp4'));
    expect(await transcode(order, again, noFfmpeg)).toMatchObject({ outcome: 'completed' });
    expect(statSync(join(folder, 'out.mp4')).ino).toBe(ino);
    // Somebody has put another in its place: it is made again.
    writeFileSync(join(folder, 'out.mp4'), 'x');
    expect(await transcode(order, again)).toMatchObject({ outcome: 'completed' });
    expect(watch(join(folder, 'out.mp4')).seconds).toBeGreaterThan(1.9);
  });
});

describe('by a run', () => {
  let shop: Workshop;
  const long = join(root, 'long.mp4');
  const SECONDS = 12;
  beforeAll(async () => {
    shop = await openWorkshop('run-jobs.js');
    makeClip(long, { seconds: SECONDS, size: '640x360', sound: true });
  });
  beforeEach(() => shop.clear());
  const environment = () => ({ JOB_FILES_DIR: folder, FFMPEG_PATH: ffmpegPath });

  test('that is killed in the middle: the next one makes it whole, and no half file is ever seen', async () => {
    copyFileSync(long, join(folder, 'long.mp4'));
    const id = await shop.add('video.transcode', { ...order, input: 'long.mp4' });
    const victim = shop.start(['--lease', '1s'], environment());
    const progress = async () => Number((await shop.job(id))['progress'] ?? 0);
    await until(async () => (await progress()) > 0, 'ffmpeg is amid the video');
    expect(await progress()).toBeLessThan(1);
    const [unfinished = ''] = files().filter((name) => name.startsWith('.'));
    expect(unfinished).toMatch(new RegExp(`^\\.out\\.mp4\\.${id}-[0-9a-f]{8}\\.tmp$`));
    expect(existsSync(join(folder, 'out.mp4'))).toBe(false);
    const pids = findEncoders(unfinished);
    expect(pids).not.toEqual([]);
    victim.child.kill('SIGKILL');
    await victim.ended;
    await until(() => pids.every((pid) => !isAlive(pid)), 'ffmpeg has ended with its worker');
    expect(existsSync(join(folder, 'out.mp4'))).toBe(false);

    await expireLeases(shop);
    await endPauses(shop);
    const next = shop.start([], environment());
    const sizes = new Set<number>();
    let over = false;
    void next.ended.then(() => {
      over = true;
    });
    await until(
      () => {
        if (existsSync(join(folder, 'out.mp4'))) sizes.add(statSync(join(folder, 'out.mp4')).size);
        return over;
      },
      'the next run ends',
      { everyMs: 2, deadlineMs: 60_000 },
    );
    expect(await next.ended).toMatchObject({ code: 0, stderr: '' });
    const bytes = statSync(join(folder, 'out.mp4')).size;
    expect(await shop.job(id)).toMatchObject({ status: 'completed', attempts: 1, crashes: 1 });
    expect([...sizes]).toEqual([bytes]);
    expect(files()).toEqual(['clip.mp4', 'long.mp4', 'out.mp4']);
    expect(watch(join(folder, 'out.mp4')).seconds).toBeGreaterThan(SECONDS - 0.1);
  }, 90_000);

  test('is left to others where FFMPEG_PATH is not set', async () => {
    const id = await shop.add('video.transcode', order);
    await shop.run([], { JOB_FILES_DIR: folder });
    expect(await shop.job(id)).toMatchObject({ status: 'pending', attempts: 0, last_error: null });
  });
});

/** The processes that have this file among their arguments. */
function findEncoders(name: string): number[] {
  const lines = execFileSync('ps', ['-axwwo', 'pid=,args='], { encoding: 'utf8' }).split('\n');
  return lines.filter((line) => line.includes(name)).map((line) => Number.parseInt(line, 10));
}
