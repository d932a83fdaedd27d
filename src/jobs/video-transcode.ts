import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, UnrecoverableError } from '../errors';
import { defineJob, type FunctionJob, type JobContext } from '../worker/define';
import { type FfmpegEnd, INPUT, runFfmpeg } from './ffmpeg';
import { openJobFile } from './job-file';
import { findPlace, makeOutput } from './job-output';
import { type VideoOrder, videoSchema } from './video-payload';
import { PRESETS, type Preset } from './video-presets';

export interface VideoSettings {
  /** The folder of inputs and outputs. */
  jobFilesDir: string;
  /** A path, or a name that is looked for in PATH. */
  ffmpegPath: string;
}

export interface VideoResult {
  /** Its path within the folder. */
  output: string;
  bytes: number;
}

/**
 * The containers of video and nothing else: a playlist, which ffmpeg takes for a video too, names other files of this
 * host, and addresses in its network.
 */
const CONTAINERS = 'mov,matroska,avi,mpegts,mpeg,flv,asf,ogg,mxf,dv,rm,wtv,gif';
const READ_INPUT = ['-protocol_whitelist', 'file', '-format_whitelist', CONTAINERS, '-i', INPUT];

/**
 * The job type `video.transcode`: ffmpeg makes a file of a named preset, which appears under its name when it is whole.
 * An attempt that is cut off leaves nothing behind but a hidden file, which the next one removes.
 */
export function videoTranscode({ jobFilesDir, ffmpegPath }: VideoSettings): FunctionJob<VideoOrder> {
  return defineJob<VideoOrder>({
    type: 'video.transcode',
    payload: videoSchema,
    timeout: '6h',
    async run({ input, output, preset }, context): Promise<VideoResult> {
      const place = await findPlace(jobFilesDir, output);
      const bytes = await makeOutput(place, context, async (path) => {
        const { handle, stats } = await openJobFile(jobFilesDir, input);
        try {
          if (stats.size === 0) throw new UnrecoverableError(`${input} is empty; put the whole file there`);
          if (await isFile(join(place.folder, place.name), stats))
            throw new UnrecoverableError(`${output} is the input itself; give the output another name`);
          const source = { name: input, fd: handle.fd, program: ffmpegPath };
          const seconds = await probe(source, PRESETS[preset], context.signal);
          await transcode({ ...source, seconds }, PRESETS[preset], path, context);
        } finally {
          await handle.close();
        }
      });
      return { output, bytes };
    },
  });
}

async function isFile(path: string, { dev, ino }: Stats): Promise<boolean> {
  try {
    const there = await stat(path);
    return there.dev === dev && there.ino === ino;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

interface Source {
  name: string;
  /** Open for reading. */
  fd: number;
  program: string;
}

/**
 * Decodes the first picture, or sound: whether that can be done is told by the exit code, and nothing but the input
 * can be the cause.
 *
 * @returns the length in seconds; undefined if the file does not say
 */
async function probe(
  { name, fd, program }: Source,
  { needs }: Preset,
  signal: AbortSignal,
): Promise<number | undefined> {
  let seconds: number | undefined;
  const end = await runFfmpeg({
    program,
    args: [...READ_INPUT, '-map', needs, '-frames', '1', '-f', 'null', '-'],
    input: fd,
    signal,
    onInfo: (line) => {
      seconds ??= readDuration(line);
    },
  });
  if (end.code === 0) return seconds;
  if (end.signal !== undefined) throw new Error(explainEnd(name, end));
  const what = needs === '0:a:0' ? 'has no sound' : 'is no video';
  throw new UnrecoverableError(`${name} ${what} that ffmpeg can read:\n${sayWords(name, end)}`);
}

function readDuration(line: string): number | undefined {
  const [, hours, minutes, seconds] = /\] +Duration: (\d+):(\d\d):(\d\d\.\d+),/.exec(line) ?? [];
  if (hours === undefined) return undefined;
  return Number(hours) * 3_600 + Number(minutes) * 60 + Number(seconds);
}

async function transcode(
  { name, fd, program, seconds }: Source & { seconds: number | undefined },
  { args }: Preset,
  path: string,
  context: JobContext,
): Promise<void> {
  const lost = new AbortController();
  let isTelling = false;
  const tell = async (fraction: number): Promise<void> => {
    if (isTelling) return;
    isTelling = true;
    // Not awaited by what reads the lines: a server that is slow must not hold up the encoder.
    await context.progress(fraction).catch((error: unknown) => lost.abort(error));
    isTelling = false;
  };
  const end = await runFfmpeg({
    program,
    args: ['-progress', 'pipe:1', ...READ_INPUT, '-max_muxing_queue_size', '4096', ...args, `file:${path}`],
    input: fd,
    signal: AbortSignal.any([context.signal, lost.signal]),
    onOutput: (line) => {
      const done = /^out_time_us=(\d+)$/.exec(line)?.[1];
      if (done !== undefined && seconds) void tell(Math.min(1, Number(done) / 1e6 / seconds));
    },
  });
  if (end.code !== 0) throw new Error(explainEnd(name, end, path));
}

function explainEnd(name: string, end: FfmpegEnd, path?: string): string {
  const how = end.signal === undefined ? `with exit code ${end.code}` : `by ${end.signal}`;
  return `ffmpeg ended ${how} on ${name}:\n${sayWords(name, end, path)}`;
}

/** ffmpeg's own words, with the names that the payload has. */
function sayWords(name: string, { words }: FfmpegEnd, path?: string): string {
  const said = words.replaceAll(INPUT, name);
  return (path === undefined ? said : said.replaceAll(`file:${path}`, 'the output')) || 'it said nothing';
}
