import { basename } from 'node:path';
import { pathSchema } from './job-folder';
import { lazySchema } from './lazy-schema';
import { PRESETS, type PresetName } from './video-presets';

/** The payload of `video.transcode`. Both names are paths within `JOB_FILES_DIR`. */
export interface VideoOrder {
  input: string;
  output: string;
  preset: PresetName;
}

/** A file name may have 255 bytes; the temporary file's has some 40 more than the output's. */
const LONGEST_NAME_BYTES = 200;

/** The names of unfinished files begin with a dot. */
const isFileName = (name: string): boolean =>
  name !== '' && !name.startsWith('.') && Buffer.byteLength(name) <= LONGEST_NAME_BYTES;

export const videoSchema = lazySchema<VideoOrder>(() => {
  const { z } = require('zod') as typeof import('zod');
  const names = Object.keys(PRESETS) as PresetName[];
  const path = pathSchema(z, 'uploads/film.mov');
  return z
    .strictObject({
      input: path,
      output: path.refine(
        (output) => !output.endsWith('/') && isFileName(basename(output)),
        'ends in no file name that may be used (no dot at its start, at most 200 bytes)',
      ),
      preset: z.enum(names, `is none of ${names.join(', ')}`),
    })
    .superRefine(({ output, preset }, context) => {
      const { extension } = PRESETS[preset];
      if (output.toLowerCase().endsWith(extension)) return;
      context.addIssue({
        code: 'custom',
        path: ['output'],
        message: `does not end in ${extension}, as ${preset} needs`,
      });
    });
});
