/** What is wrong with a record. */
export interface LineFault {
  /** In words, and perhaps with a value of it. */
  why: string;
  /** The same without any value, for last_error. */
  kind: string;
}

/**
 * Records that follow each other in a file, packed: a thread hands them on at the price of a few objects, and the rows go
 * to the server as they are. A record is known by its index.
 */
export interface Batch {
  /** Bytes from the start of the file: where the first record begins, and where each ends, its line end included. */
  start: number;
  ends: Float64Array;
  /** As LOAD DATA reads them: fields with tabs in between, behind each row a line end, and none within. */
  rows: Uint8Array;
  /** The records that have no row: why; undefined if nothing stands on the line. In the order of the file. */
  rowless: Map<number, LineFault | undefined>;
  /** How many lines of text a record is that is more than one, as line ends are inside of quotes. */
  lines: Map<number, number>;
}

const NEWLINE = 0x0a;

export const countRows = ({ ends, rowless }: Batch): number => ends.length - rowless.size;

/** Where a record begins and ends. */
export const boundsOf = ({ start, ends }: Batch, index: number): [start: number, end: number] => [
  ends[index - 1] ?? start,
  ends[index] ?? start,
];

/** The rows, each as a text. */
export function rowTexts({ rows }: Batch): string[] {
  const texts = Buffer.from(rows.buffer, rows.byteOffset, rows.length).toString().split('\n');
  texts.pop();
  return texts;
}

/** A part of the records, as a batch of its own. */
export function slice(batch: Batch, from: number, to = batch.ends.length): Batch {
  const rowless = pick(batch.rowless, from, to);
  const before = from - pick(batch.rowless, 0, from).size;
  const first = endOfRows(batch.rows, 0, before);
  return {
    start: boundsOf(batch, from)[0],
    ends: batch.ends.subarray(from, to),
    rows: batch.rows.subarray(first, endOfRows(batch.rows, first, to - from - rowless.size)),
    rowless,
    lines: pick(batch.lines, from, to),
  };
}

/** The same without its row, of which it has one. */
export function refuseRow(batch: Batch, fault: LineFault): Batch {
  const index = batch.ends.findIndex((_, at) => !batch.rowless.has(at));
  const rowless = new Map([...batch.rowless, [index, fault] as const].sort(([one], [other]) => one - other));
  return { ...batch, rows: new Uint8Array(), rowless };
}

const pick = <T>(of: Map<number, T>, from: number, to: number): Map<number, T> =>
  new Map([...of].filter(([index]) => index >= from && index < to).map(([index, value]) => [index - from, value]));

function endOfRows(rows: Uint8Array, from: number, count: number): number {
  let end = from;
  for (let row = 0; row < count; row++) end = rows.indexOf(NEWLINE, end) + 1;
  return end;
}
