// npm run prove -- video
//
// A video of a minute is transcoded in runs that are killed with SIGKILL, each further on than the one before. All the
// time somebody looks under the final name: what is seen there, if anything, is to be the whole video.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { path as ffmpeg } from '@ffmpeg-installer/ffmpeg';
import { createPool } from 'mysql2/promise';
import { PROJECT } from '../project.mjs';

const SECONDS = 60;
const FRAMES = SECONDS * 25;
/** How far the video is when the run is killed. */
const KILLS = [0.01, 0.2, 0.4, 0.6, 0.8];
/** Past this something is stuck: on an idle machine all of it takes about two minutes. */
const DEADLINE_MS = 20 * 60_000;
/** Shorter than in production, as a killed run's jobs wait for its end. */
const LEASE = '3s';

const server = new URL(process.env['ROWLOCK_TEST_DATABASE_URL'] ?? '');
const name = `${server.pathname.slice(1)}_video_${process.pid}`;
const database = new URL(server);
database.pathname = `/${name}`;
const folder = mkdtempSync(join(tmpdir(), 'rowlock-video-'));
const output = join(folder, 'out.mp4');
const control = createPool({ uri: server.href, connectionLimit: 1 });
const pool = createPool({ uri: database.href, connectionLimit: 2 });
const end = Date.now() + DEADLINE_MS;
/** Each file that was seen under the final name, by its number and size. */
const seen = new Set();

try {
  await control.query(`CREATE DATABASE ${name} CHARACTER SET utf8mb4`);
  await rowlock('migrate').ended;
  makeVideo();
  const order = { input: 'film.mp4', output: 'out.mp4', preset: 'mp4-720p' };
  await rowlock('enqueue', 'video.transcode', JSON.stringify(order)).ended;
  const began = Date.now();
  const { kills, outlived } = await runToTheEnd();
  process.exitCode = (await report(kills, outlived, (Date.now() - began) / 1_000)) ? 0 : 1;
} finally {
  await pool.end();
  await control.query(`DROP DATABASE IF EXISTS ${name}`);
  await control.end();
  rmSync(folder, { recursive: true, force: true });
}

function makeVideo() {
  const picture = ['-f', 'lavfi', '-i', `testsrc=duration=${SECONDS}:size=640x360:rate=25`];
  const sound = ['-f', 'lavfi', '-i', `sine=frequency=440:duration=${SECONDS}`];
  execFileSync(ffmpeg, ['-v', 'error', ...picture, ...sound, '-c:v', 'mpeg4', '-q:v', '5', join(folder, 'film.mp4')]);
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
    const { child, ended } = rowlock('run', '--lease', LEASE);
    let isOver = false;
    void ended.finally(() => {
      isOver = true;
    });
    const { progress: before } = await readJob();
    const leftover = new Set(readdirSync(folder));
    while (!isOver) {
      look();
      const { progress } = await readJob();
      const [next = 2] = due;
      // What an earlier run has reached stands until this one is at its encoder.
      const isOwn = progress !== before && readdirSync(folder).some((file) => !leftover.has(file));
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
  return lines.filter((line) => line.includes(folder) && line.includes(ffmpeg)).length;
}

async function readJob() {
  const [job] = await query('SELECT status, attempts, crashes, progress, last_error FROM background_jobs');
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
  const files = readdirSync(folder).sort().join(', ');
  const [version] = await query('SELECT VERSION() AS v');
  const lines = [
    `server: ${version?.['v']}; ${seconds.toFixed(1)} s`,
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

/** @param {string} sql */
async function query(sql) {
  const [rows] = await pool.query(sql);
  return /** @type {Record<string, unknown>[]} */ (rows);
}

/** @param {string[]} args */
function rowlock(...args) {
  const env = {
    PATH: process.env['PATH'],
    DATABASE_URL: database.href,
    JOB_FILES_DIR: folder,
    FFMPEG_PATH: ffmpeg,
  };
  const cli = join(PROJECT, 'dist', 'cli.js');
  const child = spawn(process.execPath, [cli, ...args], { env, cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = once(child, 'close');
  return { child, ended };
}
