// npm run prove -- video
//
// A video of a minute is transcoded in runs that are killed with SIGKILL, each further on than the one before. All the
// time somebody looks under the final name: what is seen there, if anything, is to be the whole video.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { path as ffmpeg } from '@ffmpeg-installer/ffmpeg';
import { ProofStage } from '../proof-stage.mjs';

const SECONDS = 60;
const FRAMES = SECONDS * 25;
/** How far the video is when the run is killed. */
const KILLS = [0.01, 0.2, 0.4, 0.6, 0.8];
/** Past this something is stuck: on an idle machine all of it takes about two minutes. */
const DEADLINE_MS = 20 * 60_000;
/** Shorter than in production, as a killed run's jobs wait for its end. */
const LEASE = '3s';

const stage = new ProofStage('video', { FFMPEG_PATH: ffmpeg });
const output = join(stage.folder, 'out.mp4');
const end = Date.now() + DEADLINE_MS;
/** Each file that was seen under the final name, by its number and size. */
const seen = new Set();

try {
  await stage.open();
  makeVideo();
  const order = { input: 'film.mp4', output: 'out.mp4', preset: 'mp4-720p' };
  await stage.rowlock('enqueue', 'video.transcode', JSON.stringify(order)).ended;
  const began = Date.now();
  const { kills, outlived } = await runToTheEnd();
  process.exitCode = (await report(kills, outlived, (Date.now() - began) / 1_000)) ? 0 : 1;
} finally {
  await stage.close();
}

function makeVideo() {
  const picture = ['-f', 'lavfi', '-i', `testsrc=duration=${SECONDS}:size=640x360:rate=25`];
  const sound = ['-f', 'lavfi', '-i', `sine=frequency=440:duration=${SECONDS}`];
  execFileSync(ffmpeg, [
    '-v',
    'error',
    ...picture,
    ...sound,
    '-c:v',
    'mpeg4',
    '-q:v',
    '5',
    join(stage.folder, 'film.mp4'),
  ]);
}

/**
 * As cron would, but one run after the other: each until it ends, or until it is time to kill it.
 *
 * @returns how far each was when it was killed, and how many encoders were there a second later
 */
async function runToTheEnd() {
  const due = [...KILLS];
  const kills = [];
  let outlived = 0;
  while (!(await readJob()).isOver) {
    if (Date.now() > end) throw new Error(`not within ${DEADLINE_MS / 1_000} s: the video is there`);
    const { child, ended, isOver } = stage.rowlock('run', '--lease', LEASE);
    const { progress: before } = await readJob();
    const leftover = new Set(readdirSync(stage.folder));
    while (!isOver()) {
      look();
      const { progress } = await readJob();
      const [next = 2] = due;
      // What an earlier run has reached stands until this one is at its encoder.
      const isOwn = progress !== before && readdirSync(stage.folder).some((file) => !leftover.has(file));
      if (isOwn && progress >= next && child.kill('SIGKILL')) {
        kills.push(progress);
        due.shift();
        await ended;
        await pause(1_000);
        outlived += countEncoders();
        break;
      }
      await pause(5);
    }
    await ended;
    look();
    await pause(100);
  }
  return { kills, outlived };
}

function look() {
  if (!existsSync(output)) return;
  const { ino, size } = statSync(output);
  seen.add(`${ino} ${size}`);
}

function countEncoders() {
  const lines = execFileSync('ps', ['-axwwo', 'args='], { encoding: 'utf8' }).split('\n');
  return lines.filter((line) => line.includes(stage.folder) && line.includes(ffmpeg)).length;
}

async function readJob() {
  const [job] = await stage.query('SELECT status, attempts, crashes, progress, last_error FROM background_jobs');
  const isOver = ['completed', 'failed'].includes(String(job?.['status']));
  return { ...job, isOver, progress: Number(job?.['progress'] ?? 0) };
}

/**
 * @param {number[]} kills
 * @param {number} outlived
 * @param {number} seconds
 */
async function report(kills, outlived, seconds) {
  const job = await readJob();
  const whole = ['-v', 'error', '-xerror', '-progress', 'pipe:1', '-i', output, '-f', 'null', '-'];
  const { status, stdout } = spawnSync(ffmpeg, whole, { encoding: 'utf8' });
  const frames = Number([...stdout.matchAll(/^frame=(\d+)$/gm)].at(-1)?.[1]);
  const files = readdirSync(stage.folder).sort().join(', ');
  const lines = [
    `server: ${await stage.readVersion()}; ${seconds.toFixed(1)} s`,
    `runs killed with SIGKILL: ${kills.length}, at ${kills.map((at) => `${Math.round(at * 100)} %`).join(', ')}`,
    `encoders that outlived their run by a second: ${outlived}`,
    `job: ${JSON.stringify(job)}`,
    `different files seen under the final name: ${seen.size}`,
    `frames that can be decoded: ${frames} of ${FRAMES}, ffmpeg ended with ${status}`,
    `files in the folder: ${files}`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  const isWhole = status === 0 && frames === FRAMES && seen.size === 1 && files === 'film.mp4, out.mp4';
  return isWhole && kills.length === KILLS.length && outlived === 0;
}
