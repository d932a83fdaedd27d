import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, UnrecoverableError } from '../errors';
import { defineJob, type FunctionJob, type JobContext } from '../worker/define';
import { openJobFile } from './job-file';
import { findPlace, makeOutput } from './job-output';
import { type VideoOrder, videoSchema } from './video-payload';
import { PRESETS } from './video-presets';
import { encode, probe } from './video-steps';

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
      const place = await findPlace(jobFilesDir, output);
      const bytes = await makeOutput(place, context, async (path) => {
        const { handle, stats } = await openJobFile(jobFilesDir, input);
        try {
          if (stats.size === 0) throw new UnrecoverableError(`${input} is empty; put the whole file there`);
          if (await isFile(join(place.folder, place.name), stats))
            throw new UnrecoverableError(`${output} is the input itself; give the output another name`);
          const { tell, signal } = tellProgress(context);
          const source = { name: input, fd: handle.fd, program: ffmpegPath, signal };
          const seconds = await probe(source, PRESETS[preset]);
          await encode(source, PRESETS[preset], path, (done) => {
            if (seconds) tell(Math.min(1, done / seconds));
          });
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
