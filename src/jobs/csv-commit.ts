import { isRowRefused } from '../db/faults';
import { codeOf, messageOf, oneLine, UnrecoverableError } from '../errors';
import type { JobContext, Tx } from '../worker/define';
import type { BadLine, BadLines } from './csv-bad-lines';
import { insertLines } from './csv-insert';
import { type Line, type LineFault, readBytes } from './csv-lines';
import { loadRows, NotLoadedError } from './csv-load';
import type { ImportOrder } from './csv-payload';
import { assertUnchanged, type ImportPlace } from './csv-place';
import { areLoadable, type Row } from './csv-row';
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

/** Takes lines in the order of the file, each batch in one transaction with the place behind it. */
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
   * Commits lines, at least one; bad ones are put aside.
   *
   * @param meanwhile is called once the rows are on their way, perhaps more than once: what it does the server does not
   *   wait for
   * @throws UnrecoverableError if there are more bad lines than the payload allows; what comes before is committed
   */
  async commit(lines: readonly Line<Row>[], meanwhile: () => void): Promise<void> {
    await this.commitWhole(lines, meanwhile);
    if (this.inserts > 0) this.inserts -= 1;
  }

  private async commitWhole(lines: readonly Line<Row>[], meanwhile: () => void = () => undefined): Promise<void> {
    const { ctx, file, order } = this.of;
    ctx.signal.throwIfAborted();
    await assertUnchanged(file, order.file, this.place);
    const last = this.findOneTooMany(lines);
    if (last !== undefined) lines = lines.slice(0, lines.indexOf(last) + 1);
    const rows = lines.filter(({ row }) => row !== undefined);
    const behind = await this.putAside(lines, rows.length);
    const next = last === undefined ? behind : { ...behind, accepted: behind.bad };
    try {
      await ctx.save(next, (tx) => this.send(tx, rows, meanwhile));
    } catch (error) {
      if (error instanceof NotLoadedError) {
        this.inserts = BATCHES_INSERTED;
        return this.commitWhole(lines, meanwhile);
      }
      if (!isRowRefused(error)) throw error;
      return this.commitInParts(lines, rows, error);
    }
    this.place = next;
    if (last !== undefined) throw this.giveUp(last);
  }

  private send(tx: Tx, lines: readonly Line<Row>[], meanwhile: () => void): Promise<void> {
    const { target } = this.of;
    const { load, insert } = this.statements;
    if (load !== undefined && this.inserts === 0 && lines.length > 0) {
      const rows = lines.map(({ row }) => row ?? '');
      if (areLoadable(target, rows)) return loadRows(tx, load, target, rows, meanwhile);
    }
    const inserted = insertLines(tx, insert, target, lines);
    meanwhile();
    return inserted;
  }

  /**
   * For one row the server refuses the whole batch. Each half of it is then a batch of its own, down to the row that it
   * is about: so what is committed is always all that comes before a place.
   */
  private async commitInParts(lines: readonly Line<Row>[], rows: readonly Line<Row>[], error: unknown): Promise<void> {
    if (rows.length > 1) {
      const half = lines.length >> 1;
      await this.commitWhole(lines.slice(0, half));
      return this.commitWhole(lines.slice(half));
    }
    const fault = { why: messageOf(error), kind: codeOf(error) ?? 'refused by the server' };
    return this.commitWhole(lines.map((line) => (line === rows[0] ? withFault(line, fault) : line)));
  }

  /** The bad line that is one more than may be put aside. */
  private findOneTooMany(lines: readonly Line<Row>[]): Line<Row> | undefined {
    const { bad, accepted } = this.place;
    return lines.filter(({ fault }) => fault !== undefined)[this.of.order.maxBadLines - (bad - accepted)];
  }

  /** Writes the bad ones of these lines to the side file. @returns the place behind the lines */
  private async putAside(lines: readonly Line<Row>[], rows: number): Promise<ImportPlace> {
    const next = { ...this.place, rows: this.place.rows + rows, byte: lines.at(-1)?.end ?? this.place.byte };
    const aside: BadLine[] = [];
    for (const line of lines) {
      if (line.fault !== undefined) aside.push(await this.describe(line, line.fault, next.line));
      next.line += line.lines;
    }
    next.bad += aside.length;
    if (aside.length > 0) next.badBytes = await this.of.bad.write(next.badBytes, aside);
    return next;
  }

  private async describe({ start, end }: Line<Row>, { why }: LineFault, line: number): Promise<BadLine> {
    const bytes = await readBytes(this.of.file.handle, start, Math.min(end - start, LONGEST_TEXT_BYTES));
    return { line, reason: oneLine(why, LONGEST_REASON), text: withoutLineEnd(bytes) };
  }

  private giveUp({ fault, lines }: Line<Row>): UnrecoverableError {
    const { order, bad } = this.of;
    const { line, rows } = this.place;
    return new UnrecoverableError(
      `more than ${order.maxBadLines} bad lines: line ${line - lines} is another one (${fault?.kind}); all are in ${bad.name}, ` +
        `${rows} others in the table. rowlock retry goes on behind them, and bears as many again`,
    );
  }
}

const withFault = ({ start, end, lines }: Line<Row>, fault: LineFault): Line<Row> => ({
  start,
  end,
  lines,
  row: undefined,
  fault,
});

const withoutLineEnd = (bytes: Buffer): string => bytes.toString('utf8').replace(/\r?\n$/, '');
