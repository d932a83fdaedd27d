import { codeOf } from '../errors';
import { findLineEnds } from './csv-bytes';

/** `""`: a field that is there, and empty. Where nothing stands between two delimiters the field is ''. */
export const EMPTY_TEXT = Symbol('""');

/** Each character is a byte of the file: the bytes go to the server as they came, and nobody decodes and encodes them. */
export type Field = string | typeof EMPTY_TEXT;

export interface Parsed {
  records: Field[][];
  /** Where each of them ends, its line end included: bytes from the start of what was parsed. */
  ends: number[];
  /** True if no record is more than one line. */
  isOneLineEach: boolean;
  /** Why what follows cannot be read, if it cannot, and not only goes on behind the bytes that were given. */
  fault?: string | undefined;
}

const EMPTY_QUOTES = '""';

const FAULTS: Record<string, string> = {
  CSV_QUOTE_NOT_CLOSED: 'a quote is opened and not closed',
  CSV_INVALID_CLOSING_QUOTE: 'a quote inside of a quoted field is not doubled',
  INVALID_OPENING_QUOTE: 'a quote stands inside of a field that does not begin with one',
};

export const NOT_UTF8 = 'not UTF-8; convert the file, as with iconv -f WINDOWS-1252 -t UTF-8';

/** Lines of any length are taken here: how many fields there have to be is for the reader to say. */
const FORM = {
  columns: false,
  encoding: 'latin1',
  relax_column_count: true,
} satisfies import('csv-parse/sync').Options;

/** The parser looks for each of them at each character: of two a tenth slower than of one. */
const LINE_ENDS = { one: ['\n'], both: ['\r\n', '\n'] };

const lineEndsOf = (bytes: Buffer): string[] => (bytes.includes('\r') ? LINE_ENDS.both : LINE_ENDS.one);

/** Nothing stands on its line. */
export const isBlank = (fields: Field[]): boolean => fields.length === 1 && fields[0] === '';

const parser = () => require('csv-parse/sync') as typeof import('csv-parse/sync');

/**
 * Takes apart what begins where a record begins and ends behind a line end, or at the end of the file. Between two
 * calls nothing is kept: a place in the file is all that it takes to go on from there, in this process or another.
 *
 * @param isLast the file ends with these bytes
 * @param most how many records, one or all that there are
 */
export function parseRecords(bytes: Buffer, delimiter: string, isLast: boolean, most: 'one' | 'all'): Parsed {
  const lines = most === 'all' ? parseLines(bytes, delimiter) : undefined;
  const parsed = lines ?? parseOneByOne(bytes, delimiter, isLast, most === 'one' ? { to: 1 } : {});
  markEmptyTexts(bytes, delimiter, parsed);
  return parsed;
}

/** Undefined unless each record is a line. Where they end is then to be seen, at a fifth of the price of asking the parser. */
function parseLines(bytes: Buffer, delimiter: string): Parsed | undefined {
  try {
    const records = parser().parse(bytes, { ...FORM, delimiter, record_delimiter: lineEndsOf(bytes) });
    const ends = findLineEnds(bytes);
    return records.length === ends.length ? { records, ends, isOneLineEach: true } : undefined;
  } catch (error) {
    readFault(error);
    return undefined;
  }
}

function parseOneByOne(bytes: Buffer, delimiter: string, isLast: boolean, limit: { to?: number }): Parsed {
  const records: Field[][] = [];
  const ends: number[] = [];
  const take = (fields: string[], { bytes: end }: { bytes: number }) => {
    records.push(fields);
    ends.push(end);
    return null;
  };
  try {
    parser().parse(bytes, { ...FORM, ...limit, delimiter, record_delimiter: LINE_ENDS.both, on_record: take });
    return { records, ends, isOneLineEach: false };
  } catch (error) {
    const fault = readFault(error);
    const goesOn = codeOf(error) === 'CSV_QUOTE_NOT_CLOSED' && !isLast;
    return { records, ends, isOneLineEach: false, fault: goesOn ? undefined : fault };
  }
}

function readFault(error: unknown): string {
  const fault = FAULTS[codeOf(error) ?? ''];
  if (fault === undefined) throw error;
  return fault;
}

/** The parser tells of quotes at a price for each field: it is asked for records that may have an empty text, alone. */
function markEmptyTexts(bytes: Buffer, delimiter: string, { records, ends }: Parsed): void {
  const cast = (field: string, { quoting }: { quoting: boolean }) => (field === '' && quoting ? EMPTY_TEXT : field);
  const form = { ...FORM, delimiter, record_delimiter: LINE_ENDS.both, cast };
  let at = bytes.indexOf(EMPTY_QUOTES);
  for (let index = 0; at >= 0 && index < records.length; index++) {
    const end = ends[index] ?? bytes.length;
    if (at >= end) continue;
    if (records[index]?.includes('') === true) {
      const [again] = parser().parse(bytes.subarray(ends[index - 1] ?? 0, end), form) as unknown as Field[][];
      if (again !== undefined) records[index] = again;
    }
    at = bytes.indexOf(EMPTY_QUOTES, end);
  }
}
