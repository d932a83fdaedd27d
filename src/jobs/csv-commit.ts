import { isRowRefused } from '../db/faults';
import { codeOf, messageOf, oneLine, UnrecoverableError } from '../errors';
import type { JobContext, Tx } from '../worker/define';
import type { BadLine, BadLines } from './csv-bad-lines';
import { type Batch, boundsOf, countRows, type LineFault, refuseRow, rowTexts, slice } from './csv-batch';
import { readBytes } from './csv-bytes';
import { insertRows } from './csv-insert';
import { isLoadable, loadRows, NotLoadedError } from './csv-load';
import type { ImportOrder } from './csv-payload';
import { assertUnchanged, type ImportPlace } from './csv-place';
import { type Statements, statementsFor } from './csv-statement';
import type { Target } from './csv-target';
import type { JobFile } from './job-file';

export interface Import {
  ctx: JobContext;
  order: ImportOrder;
  file: JobFile;
  bad: BadLines;
  target: Target;
}

/** Of a bad line in the side file. */
const LONGEST_TEXT_BYTES = 10_000;
const LONGEST_REASON = 500;

/** After one that was not loaded, and had to be sent twice: where many rows are bad, or are noted, that costs a twentieth. */
const BATCHES_INSERTED = 20;

/** Takes batches in the order of the file, each in one transaction with the place behind it. */
export class Committer {
  /** Behind the last line that was committed. */
  place: ImportPlace;
  private readonly of: Import;
  private readonly statements: Statements;
  /** How many batches are still inserted, as one was not loaded. */
  private inserts = 0;

  constructor(of: Import, place: ImportPlace) {
    this.of = of;
    this.place = place;
    this.statements = statementsFor(of.target, of.order.onDuplicate);
  }

  /**
   * Commits a batch that is not empty; bad lines are put aside.
   *
   * @throws UnrecoverableError if there are more bad lines than the payload allows; what comes before is committed
   */
  async commit(batch: Batch): Promise<void> {
    await this.commitWhole(batch);
    if (this.inserts > 0) this.inserts -= 1;
  }

  private async commitWhole(batch: Batch): Promise<void> {
    const { ctx, file, order } = this.of;
    ctx.signal.throwIfAborted();
    await assertUnchanged(file, order.file, this.place);
    const last = this.findOneTooMany(batch);
    const taken = last === undefined ? batch : slice(batch, 0, last + 1);
    const behind = await this.putAside(taken);
    const next = last === undefined ? behind : { ...behind, accepted: behind.bad };
    try {
      await ctx.save(next, (tx) => this.send(tx, taken));
    } catch (error) {
      if (error instanceof NotLoadedError) {
        this.inserts = BATCHES_INSERTED;
        return this.commitWhole(taken);
      }
      if (!isRowRefused(error)) throw error;
      return this.commitInParts(taken, error);
    }
    this.place = next;
    if (last !== undefined) throw this.giveUp(taken);
  }

  private send(tx: Tx, batch: Batch): Promise<void> {
    const { target } = this.of;
    const { load, insert } = this.statements;
    const isLoaded = load !== undefined && this.inserts === 0 && countRows(batch) > 0 && isLoadable(target, batch);
    return isLoaded ? loadRows(tx, load, target, batch) : insertRows(tx, insert, target, rowTexts(batch));
  }

  /**
   * For one row the server refuses the whole batch. Each half of it is then a batch of its own, down to the row that it
   * is about: so what is committed is always all that comes before a place.
   */
  private async commitInParts(batch: Batch, error: unknown): Promise<void> {
    if (countRows(batch) > 1) {
      const half = batch.ends.length >> 1;
      await this.commitWhole(slice(batch, 0, half));
      return this.commitWhole(slice(batch, half));
    }
    const fault = { why: messageOf(error), kind: codeOf(error) ?? 'refused by the server' };
    return this.commitWhole(refuseRow(batch, fault));
  }

  /** The index of the bad line that is one more than may be put aside. */
  private findOneTooMany({ rowless }: Batch): number | undefined {
    const { bad, accepted } = this.place;
    const faulty = [...rowless].filter(([, fault]) => fault !== undefined);
    return faulty[this.of.order.maxBadLines - (bad - accepted)]?.[0];
  }

  /** Writes the bad lines of a batch to the side file. @returns the place behind it */
  private async putAside(batch: Batch): Promise<ImportPlace> {
    const { ends, rowless, lines } = batch;
    const next = { ...this.place, rows: this.place.rows + countRows(batch), byte: ends.at(-1) ?? this.place.byte };
    const aside: BadLine[] = [];
    for (let index = 0; index < ends.length; index++) {
      const fault = rowless.get(index);
      if (fault !== undefined) aside.push(await this.describe(boundsOf(batch, index), fault, next.line));
      next.line += lines.get(index) ?? 1;
    }
    next.bad += aside.length;
    if (aside.length > 0) next.badBytes = await this.of.bad.write(next.badBytes, aside);
    return next;
  }

  private async describe([start, end]: [number, number], { why }: LineFault, line: number): Promise<BadLine> {
    const bytes = await readBytes(this.of.file.handle.fd, start, Math.min(end - start, LONGEST_TEXT_BYTES));
    return { line, reason: oneLine(why, LONGEST_REASON), text: withoutLineEnd(bytes) };
  }

  /** @param batch ends with the bad line that is one too many */
  private giveUp({ ends, rowless, lines }: Batch): UnrecoverableError {
    const { order, bad } = this.of;
    const { line, rows } = this.place;
    const last = ends.length - 1;
    return new UnrecoverableError(
      `more than ${order.maxBadLines} bad lines: line ${line - (lines.get(last) ?? 1)} is another one (${rowless.get(last)?.kind}); ` +
        `all are in ${bad.name}, ${rows} others in the table. rowlock retry goes on behind them, and bears as many again`,
    );
  }
}

const withoutLineEnd = (bytes: Buffer): string => bytes.toString('utf8').replace(/\r?\n$/, '');
