import { isUtf8 } from 'node:buffer';
import type { Batch, LineFault } from './csv-batch';
import { findLineEnd, findLineEnds } from './csv-bytes';
import { type Piece, PieceReader } from './csv-pieces';
import { type Field, isBlank, NOT_UTF8 } from './csv-records';
import { rowMaker, type Source } from './csv-row';

/** What the lines of a file have to be, and what becomes of them. */
export interface LinesForm {
  delimiter: string;
  /** How many fields a line has to have. */
  fields: number;
  /** Bytes of a record at most, and never more than LONGEST_RECORD. */
  longest: number;
  /** Where the file ends. */
  size: number;
  /** What the row of a line is made of. */
  sources: Source[];
}

/** In one transaction. Fewer cost a commit each, more cost memory, and are done again when one of them is bad. */
const BATCH = { lines: 5_000, bytes: 512 * 1024 };

/** Backslash, tab, NUL; a line end is in a field only where a record is more than one line. */
const SPECIAL = [0x5c, 0x09, 0x00];

/** Packs the records of a file into one batch after the other. */
export class Packer {
  private at: number;
  private readonly fd: number;
  private readonly form: LinesForm;
  private readonly pieces: PieceReader;
  private readonly toRow: ReturnType<typeof rowMaker>;

  /** @param from a byte at which a record begins */
  constructor(fd: number, from: number, form: LinesForm) {
    this.fd = fd;
    this.at = from;
    this.form = form;
    this.pieces = new PieceReader(fd, form.size, form.delimiter);
    this.toRow = rowMaker(form.sources);
  }

  /** The next batch; where the file has ended, one that is empty. */
  async pack(): Promise<Batch> {
    const start = this.at;
    const ends: number[] = [];
    const rowless: Batch['rowless'] = new Map();
    const lines: Batch['lines'] = new Map();
    const parts: Buffer[] = [];
    while (this.at < this.form.size && ends.length < BATCH.lines && this.at - start < BATCH.bytes) {
      const piece = await this.pieces.read(this.at);
      parts.push(this.takeRows(piece, { ends, rowless, lines }));
      this.at += piece.ends.at(-1) ?? 0;
      if (piece.fault !== undefined) {
        rowless.set(ends.length, faulty(piece.fault));
        this.at = await findLineEnd(this.fd, this.at, this.form.size);
        ends.push(this.at);
      } else if (piece.ends.length === 0) break;
    }
    return { start, ends: Float64Array.from(ends), rows: joinBytes(parts), rowless, lines };
  }

  /** At once, as the fields of many lines are more than the heap can do with. */
  private takeRows(
    { bytes, records, ends, isOneLineEach }: Piece,
    to: Pick<Batch, 'rowless' | 'lines'> & { ends: number[] },
  ): Buffer {
    const isValid = isUtf8(bytes);
    const isPlain = isOneLineEach && !SPECIAL.some((byte) => bytes.includes(byte));
    const rows: string[] = [];
    let start = 0;
    for (let index = 0; index < records.length; index++) {
      const fields = records[index] ?? [];
      const end = ends[index] ?? start;
      const own = isOneLineEach && isValid ? undefined : bytes.subarray(start, end);
      const fault =
        own !== undefined && !isValid && !isUtf8(own) ? faulty(NOT_UTF8) : this.findFault(fields, end - start);
      if (fault !== undefined || isBlank(fields)) to.rowless.set(to.ends.length, fault);
      else rows.push(this.toRow(fields, isPlain));
      const count = own === undefined || isOneLineEach ? 1 : findLineEnds(own).length;
      if (count > 1) to.lines.set(to.ends.length, count);
      to.ends.push(this.at + end);
      start = end;
    }
    // Each character is a byte.
    return Buffer.from(rows.length === 0 ? '' : `${rows.join('\n')}\n`, 'latin1');
  }

  private findFault(fields: Field[], bytes: number): LineFault | undefined {
    const { fields: wanted, longest } = this.form;
    if (bytes > longest) return faulty(`longer than ${longest} bytes`);
    if (fields.length === wanted || isBlank(fields)) return undefined;
    return faulty(`${fields.length} fields and not ${wanted}`);
  }
}

const faulty = (kind: string): LineFault => ({ why: kind, kind });

/** In memory of their own: of what the pool of small buffers has, nothing can be handed to another thread. */
function joinBytes(parts: Buffer[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
