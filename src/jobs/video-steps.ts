import { UnrecoverableError } from '../errors';
import { type FfmpegEnd, INPUT, runFfmpeg } from './ffmpeg';
import type { Preset } from './video-presets';

/** A file that is open for reading. */
export interface Source {
  /** As the payload has it. */
  name: string;
  fd: number;
  /** The ffmpeg that reads it. */
  program: string;
  signal: AbortSignal;
}

/**
 * The containers of video and nothing else: a playlist, which ffmpeg takes for a video too, names other files of this
 * host, and addresses in its network.
 */
const CONTAINERS = 'mov,matroska,avi,mpegts,mpeg,flv,asf,ogg,mxf,dv,rm,wtv,gif';
const READ_STRANGERS = ['-protocol_whitelist', 'file', '-format_whitelist', CONTAINERS, '-i', INPUT];

/**
 * Decodes the first picture, or sound: whether that can be done is told by the exit code, and nothing but the input
 * can be the cause.
 *
 * @returns the length in seconds; undefined if the file does not say
 * @throws UnrecoverableError if it is no video
 */
export async function probe(source: Source, { needs }: Preset): Promise<number | undefined> {
  let seconds: number | undefined;
  const end = await runFfmpeg({
    ...source,
    args: [...READ_STRANGERS, '-map', needs, '-frames', '1', '-f', 'null', '-'],
    onInfo: (line) => {
      seconds ??= readDuration(line);
    },
  });
  if (end.code === 0) return seconds;
  if (end.signal !== undefined) throw new Error(explain(end, source));
  const what = needs === '0:a:0' ? 'has no sound' : 'is no video';
  throw new UnrecoverableError(`${source.name} ${what} that ffmpeg can read:\n${wordsOf(end, source)}`);
}

/**
 * Makes the file of a preset, at a path that is not there yet.
 *
 * @param tell gets the seconds that are done, now and then
 */
export async function encode(
  source: Source,
  { args }: Preset,
  path: string,
  tell: (seconds: number) => void,
): Promise<void> {
  let seconds: number | undefined;
  const encoded = await runFfmpeg({
    ...source,
    // A stream that begins late has the packets of the others wait for it; 128 of them, if nothing is said.
    args: ['-progress', 'pipe:1', ...READ_STRANGERS, '-max_muxing_queue_size', '4096', ...args, `file:${path}`],
    onOutput: (line) => {
      seconds = readDone(line) ?? seconds;
      if (seconds !== undefined) tell(seconds);
    },
  });
  if (encoded.code !== 0) throw new Error(explain(encoded, source, path));
  if (seconds === undefined)
    throw new Error(`ffmpeg made nothing of ${source.name}:\n${wordsOf(encoded, source, path)}`);
  await checkWhole(source, path, seconds, encoded);
}

/** What is made and what is read again differ by some frames of sound. */
const NEAR_SECONDS = 0.5;

/**
 * Reads what was made to its end. Before version 5 ffmpeg ends with 0 on a disk that is full, where the format is WebM
 * or MP3: 4.1 left 20 KB of 210 KB behind.
 */
async function checkWhole(source: Source, path: string, seconds: number, encoded: FfmpegEnd): Promise<void> {
  let length: number | undefined;
  let done = 0;
  const { code } = await runFfmpeg({
    ...source,
    args: ['-progress', 'pipe:1', '-i', `file:${path}`, '-map', '0', '-c', 'copy', '-f', 'null', '-'],
    onInfo: (line) => {
      length ??= readDuration(line);
    },
    onOutput: (line) => {
      done = readDone(line) ?? done;
    },
  });
  if (code === 0 && length !== undefined && done > seconds - NEAR_SECONDS) return;
  throw new Error(`ffmpeg made ${done} s of ${seconds} s of ${source.name}:\n${wordsOf(encoded, source, path)}`);
}

function readDuration(line: string): number | undefined {
  const [, hours, minutes, seconds] = /\] +Duration: (\d+):(\d\d):(\d\d\.\d+),/.exec(line) ?? [];
  if (hours === undefined) return undefined;
  return Number(hours) * 3_600 + Number(minutes) * 60 + Number(seconds);
}

/** The seconds that are done, of a line of `-progress`. Both names have microseconds; 4.0 knows only `ms`. */
function readDone(line: string): number | undefined {
  const done = /^out_time_[mu]s=(\d+)$/.exec(line)?.[1];
  return done === undefined ? undefined : Number(done) / 1e6;
}

function explain(end: FfmpegEnd, source: Source, path?: string): string {
  const how = end.signal === undefined ? `with exit code ${end.code}` : `by ${end.signal}`;
  return `ffmpeg ended ${how} on ${source.name}:\n${wordsOf(end, source, path)}`;
}

/** ffmpeg's own words, with the names that the payload has. */
function wordsOf({ words }: FfmpegEnd, { name }: Source, path?: string): string {
  const said = words.replaceAll(INPUT, name);
  return (path === undefined ? said : said.replaceAll(`file:${path}`, 'the output')) || 'it said nothing';
}
