import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, UnrecoverableError } from '../errors';
import { defineJob, type FunctionJob, type JobContext } from '../worker/define';
import { type JobFile, openJobFile } from './job-file';
import { findOutput, makeOutput } from './job-output';
import { type VideoOrder, videoSchema } from './video-payload';
import { PRESETS } from './video-presets';
import { checkComplete, encode, probe, type Source } from './video-steps';

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
 * The job type `video.transcode`: ffmpeg makes a file of a named preset, which appears under its name when it is whole.
 * An attempt that is cut off leaves nothing behind but a hidden file, which the next one removes.
 */
export function videoTranscode({ jobFilesDir, ffmpegPath }: VideoSettings): FunctionJob<VideoOrder> {
  return defineJob<VideoOrder>({
    type: 'video.transcode',
    payload: videoSchema,
    timeout: '6h',
    async run({ input, output, preset }, context): Promise<VideoResult> {
      const place = await findOutput(jobFilesDir, output);
      const { tell, signal } = tellProgress(context);
      const read = <T>(step: (source: Source, stats: Stats) => Promise<T>): Promise<T> =>
        withInput(jobFilesDir, input, ({ handle, stats }) =>
          step({ program: ffmpegPath, signal, name: input, fd: handle.fd }, stats),
        );
      const look = async (): Promise<number | undefined> => {
        const seconds = await read(async (source, stats) => {
          if (stats.size === 0) throw new UnrecoverableError(`${input} is empty; put the whole file there`);
          await refusePlace(join(place.folder, place.name), output, stats);
          return probe(source, PRESETS[preset]);
        });
        if (seconds !== undefined) await read((source) => checkComplete(source, seconds));
        return seconds;
      };
      const bytes = await makeOutput(place, context, look, (path, seconds) =>
        read((source) =>
          encode(source, PRESETS[preset], path, (done) => {
            if (seconds) tell(Math.min(1, done / seconds));
          }),
        ),
      );
      return { output, bytes };
    },
  });
}

/** Opened anew for each reader, which begins at its start. */
async function withInput<T>(folder: string, name: string, read: (file: JobFile) => Promise<T>): Promise<T> {
  const file = await openJobFile(folder, name);
  try {
    return await read(file);
  } finally {
    await file.handle.close();
  }
}

/** Before hours of work are done for a name that cannot be used. */
async function refusePlace(path: string, output: string, input: Stats): Promise<void> {
  const there = await stat(path).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (there?.isDirectory()) throw new UnrecoverableError(`${output} is a folder; give the output another name`);
  if (there?.dev === input.dev && there.ino === input.ino)
    throw new UnrecoverableError(`${output} is the input itself; give the output another name`);
}

/** Stores the progress without being waited for: a server that is slow must not hold up the encoder. */
function tellProgress(context: JobContext): { tell(fraction: number): void; signal: AbortSignal } {
  const refused = new AbortController();
  let isTelling = false;
  const store = async (fraction: number): Promise<void> => {
    isTelling = true;
    // The job was taken away: then nobody wants the rest.
    await context.progress(fraction).catch((error: unknown) => refused.abort(error));
    isTelling = false;
  };
  return {
    tell(fraction) {
      if (!isTelling) void store(fraction);
    },
    signal: AbortSignal.any([context.signal, refused.signal]),
  };
}
