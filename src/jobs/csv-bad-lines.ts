import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { codeOf } from '../errors';
import type { JobId } from '../worker/define';
import { sayDiskFault } from './report-file';

/** A line that was put aside. */
export interface BadLine {
  line: number;
  reason: string;
  /** As it stands in the file, cut where it is long. */
  text: string;
}

/**
 * The side file of an import, beside the file itself. How long it is stands in the checkpoint: what a later attempt
 * finds behind that was written by one that died before its commit, and is overwritten.
 */
export class BadLines {
  /** Its path, and its name in the folder of the file. */
  readonly path: string;
  readonly name: string;
  private handle: FileHandle | undefined;

  constructor(file: string, jobId: JobId) {
    this.name = nameOf(basename(file), `.bad-${jobId}.csv`);
    this.path = join(dirname(file), this.name);
  }

  /**
   * Writes lines behind the first `length` bytes, and nothing is left behind them.
   *
   * @returns how long the file is then
   */
  async write(length: number, lines: readonly BadLine[]): Promise<number> {
    try {
      this.handle ??= await open(this.path, constants.O_CREAT | constants.O_RDWR | constants.O_NOFOLLOW, 0o666);
      // Somebody may have taken it away, or emptied it: it goes on from its end.
      const from = Math.min(length, (await this.handle.stat()).size);
      const bytes = Buffer.from(format(lines, from === 0));
      await this.handle.truncate(from);
      await writeAll(this.handle, bytes, from);
      await this.handle.datasync();
      return from + bytes.length;
    } catch (error) {
      const fault = sayDiskFault(error, 'JOB_FILES_DIR') ?? `(${codeOf(error)}): look at that folder`;
      throw new Error(`the bad lines cannot be written to ${this.name} in the folder of the file ${fault}`, {
        cause: error,
      });
    }
  }

  async close(): Promise<void> {
    await this.handle?.close();
  }
}

/** Where the disk or a limit ends, less is written than was given, and without an error: that comes with the rest. */
async function writeAll(handle: FileHandle, bytes: Buffer, from: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, from + done);
    done += bytesWritten;
  }
}

/** Of a name, on the disks that are in use. */
const LONGEST_NAME_BYTES = 255;

/** Where both are too long for a name, the file's own is cut, between two characters: the job's id tells two apart. */
function nameOf(file: string, ending: string): string {
  const room = LONGEST_NAME_BYTES - ending.length;
  return new TextDecoder().decode(Buffer.from(file).subarray(0, room), { stream: true }) + ending;
}

/** A spreadsheet would run what looks like a formula. */
function format(lines: readonly BadLine[], header: boolean): string {
  const { stringify } = require('csv-stringify/sync') as typeof import('csv-stringify/sync');
  return stringify([...lines], { header, columns: ['line', 'reason', 'text'], escape_formulas: true });
}
