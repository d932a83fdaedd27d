/** What a video is made into. The arguments are all here: a payload only says which. */
export interface Preset {
  /** What the name of the output must end in. */
  extension: string;
  /** The stream that the input must have; `V`: a moving picture, no cover. */
  needs: '0:V:0' | '0:a:0';
  args: readonly string[];
}

/** At most so many lines, and never more than the input has; encoders want an even number of them. */
const scaleTo = (lines: number): string => `scale=-2:'trunc(min(${lines},ih)/2)*2'`;

/** What is published does not tell where and when a film was shot, and by whom: a phone writes all of it down. */
const ANONYMOUS = ['-map_metadata', '-1', '-map_metadata:s', '-1', '-map_chapters', '-1'];

/** The picture, and the sound if there is any; no subtitles, no data. */
const STREAMS = ['-map', '0:V:0', '-map', '0:a:0?', ...ANONYMOUS];

const mp4 = (lines: number, quality: number): Preset => ({
  extension: '.mp4',
  needs: '0:V:0',
  args: [
    ...STREAMS,
    ...['-vf', scaleTo(lines), '-c:v', 'libx264', '-preset', 'medium', '-crf', `${quality}`, '-pix_fmt', 'yuv420p'],
    ...['-c:a', 'aac', '-b:a', '128k', '-ac', '2'],
    // The index goes to the front, so that a browser plays it while it loads.
    ...['-movflags', '+faststart', '-f', 'mp4'],
  ],
});

export const PRESETS = {
  /** H.264 and AAC, which every browser and phone plays. */
  'mp4-1080p': mp4(1080, 22),
  'mp4-720p': mp4(720, 23),
  'mp4-480p': mp4(480, 24),
  /** VP9 and Opus: smaller, and slow to make. */
  'webm-720p': {
    extension: '.webm',
    needs: '0:V:0',
    args: [
      ...STREAMS,
      ...['-vf', scaleTo(720), '-c:v', 'libvpx-vp9', '-crf', '33', '-b:v', '0', '-row-mt', '1', '-pix_fmt', 'yuv420p'],
      ...['-c:a', 'libopus', '-b:a', '96k', '-ac', '2', '-f', 'webm'],
    ],
  },
  /** The sound alone. */
  mp3: {
    extension: '.mp3',
    needs: '0:a:0',
    args: [
      ...['-map', '0:a:0', ...ANONYMOUS],
      // An MP3 cannot say that it begins later than its film: the silence before the sound goes into it.
      ...['-af', 'aresample=async=1:first_pts=0', '-c:a', 'libmp3lame', '-q:a', '2', '-f', 'mp3'],
    ],
  },
} as const satisfies Record<string, Preset>;

export type PresetName = keyof typeof PRESETS;
