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

/** No data: one sample of a time code may last as long as the film. */
const EVERYTHING = ['-map', '0:v?', '-map', '0:a?', '-map', '0:s?'];

/** ffmpeg's words for a fault of the input; it ends with 1 for these, and for all others. */
const STRANGE = /Format not on whitelist/;
const BROKEN = /Invalid data found when processing input|file:\/dev\/fd\/3: End of file|matches no streams/;
/** What may be gone by the next attempt, whatever else is said because of it. */
const PASSING = /Cannot allocate memory|Input\/output error|Resource temporarily unavailable/;

/**
 * Decodes the first picture, or sound. A fault that ffmpeg does not lay to the input may be its own: a program that is
 * none, a build without a decoder, a host that is out of memory.
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
  if (end.signal !== undefined || PASSING.test(end.words)) throw new Error(explain(end, source));
  if (STRANGE.test(end.words))
    throw new UnrecoverableError(`${source.name} is in none of the formats that are read: ${CONTAINERS}`);
  if (!BROKEN.test(end.words)) throw new Error(`${explain(end, source)}\nIf that is no ffmpeg, correct FFMPEG_PATH`);
  const what = needs === '0:a:0' ? 'has no sound' : 'is no video';
  throw new UnrecoverableError(`${source.name} ${what} that ffmpeg can read:\n${wordsOf(end, source)}`);
}

/** Their length stands in the file itself. Of all others ffmpeg takes the last time that it finds in what is there. */
const TELL_LENGTH = /\] Input #0, (mov|matroska|flv|asf|mxf),/;
const NEAR_LENGTH = { seconds: 1, part: 0.01 };

/**
 * Reads a file to its end, before hours of work are done for the half of it: of one that was cut off ffmpeg makes what
 * there is, and exits with 0. Not what is made of it is measured: of the sound that is shorter than the picture, all is there.
 *
 * @throws UnrecoverableError if the file ends before it says
 */
export async function checkComplete(source: Source, length: number): Promise<void> {
  let tellsLength = false;
  let start = 0;
  let done: number | undefined;
  const { code } = await runFfmpeg({
    ...source,
    args: ['-progress', 'pipe:1', ...READ_STRANGERS, ...EVERYTHING, '-c', 'copy', '-f', 'null', '-'],
    onInfo: (line) => {
      tellsLength ||= TELL_LENGTH.test(line);
      start = readStart(line) ?? start;
    },
    onOutput: (line) => {
      done = readDone(line) ?? done;
    },
  });
  // What cannot be measured, such as a stream of no known kind, may still be encoded.
  if (code !== 0 || done === undefined || !tellsLength) return;
  // Matroska counts from 0, not from the start.
  const end = done + start;
  if (end >= length - Math.max(NEAR_LENGTH.seconds, length * NEAR_LENGTH.part)) return;
  throw new UnrecoverableError(
    `${source.name} ends after ${end.toFixed(2)} s of ${length.toFixed(2)} s; put the whole file there`,
  );
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

function readStart(line: string): number | undefined {
  const start = /\] +Duration: .*, start: (\d+\.\d+),/.exec(line)?.[1];
  return start === undefined ? undefined : Number(start);
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
