import { UnrecoverableError } from '../errors';
import type { JobContext } from '../worker/define';
import { readHeader } from './csv-header';
import type { ImportOrder } from './csv-payload';
import type { JobFile } from './job-file';

/** How far an import is: its checkpoint. All that comes before this place is in the table, or put aside. */
export interface ImportPlace {
  /** A line begins here, of this number. */
  byte: number;
  line: number;
  /** Lines that the table has taken. */
  rows: number;
  /** Bad lines, and the length of the side file that has them. */
  bad: number;
  badBytes: number;
  /** Bad lines that somebody has accepted: there were too many, and the job was revived. */
  accepted: number;
  /** The names in the header; null: the payload says what the fields are. */
  header: string[] | null;
  /** Which file it is: a place in another one means nothing. */
  size: number;
  modified: number;
}

/** Where to go on, or to begin. @throws UnrecoverableError if the file is not the one that was begun, or no CSV */
export async function resumePlace(file: JobFile, order: ImportOrder, { checkpoint }: JobContext): Promise<ImportPlace> {
  if (checkpoint !== null) {
    const place = checkpoint as ImportPlace;
    await assertUnchanged(file, order.file, place);
    return place;
  }
  const { byte, line, names } = await readHeader(file, order);
  const { size, mtimeMs: modified } = file.stats;
  return { byte, line, rows: 0, bad: 0, badBytes: 0, accepted: 0, header: names, size, modified };
}

/** @throws UnrecoverableError if the file is another one, or was written to */
export async function assertUnchanged(
  { handle }: JobFile,
  name: string,
  { size, modified, line }: ImportPlace,
): Promise<void> {
  const now = await handle.stat();
  if (now.size === size && now.mtimeMs === modified) return;
  throw new UnrecoverableError(
    `${name} was changed while it was imported, of which the lines before ${line} are done; give each upload a name of its own, write it whole before its job, and enqueue a new job for what is missing`,
  );
}
