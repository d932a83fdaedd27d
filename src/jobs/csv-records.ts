import { codeOf } from '../errors';

/** A record of a CSV file. A field is null where nothing stands between two delimiters, and '' where "" does. */
export interface CsvRecord {
  fields: (string | null)[];
  /** Where it ends, its line end included: bytes from the start of what was parsed. */
  end: number;
}

export interface Parsed {
  records: CsvRecord[];
  /** Bytes up to the end of the last record. */
  taken: number;
  /** Why what follows cannot be read, if it cannot, and not only goes on behind the bytes that were given. */
  fault?: string;
}

const FAULTS: Record<string, string> = {
  CSV_QUOTE_NOT_CLOSED: 'a quote is opened and not closed',
  CSV_INVALID_CLOSING_QUOTE: 'a quote inside of a quoted field is not doubled',
  INVALID_OPENING_QUOTE: 'a quote stands inside of a field that does not begin with one',
};

/**
 * Takes apart what begins where a record begins and ends behind a line end, or at the end of the file. Between two
 * calls nothing is kept: a place in the file is all that it takes to go on from there, in this process or another.
 *
 * @param isLast the file ends with these bytes
 */
export function parseRecords(bytes: Buffer, delimiter: string, isLast: boolean): Parsed {
  const { parse } = require('csv-parse/sync') as typeof import('csv-parse/sync');
  const records: CsvRecord[] = [];
  let taken = 0;
  const take = (fields: string[], { bytes: end }: { bytes: number }) => {
    records.push({
      fields: fields.includes('') ? readEmpty(bytes.subarray(taken, end), fields, delimiter) : fields,
      end,
    });
    taken = end;
    return null;
  };
  try {
    parse(bytes, { ...FORM, delimiter, on_record: take });
  } catch (error) {
    const fault = FAULTS[codeOf(error) ?? ''];
    if (fault === undefined) throw error;
    const goesOn = codeOf(error) === 'CSV_QUOTE_NOT_CLOSED' && !isLast;
    return { records, taken, ...(!goesOn && { fault }) };
  }
  return { records, taken };
}

/** Lines of any length are taken here: how many fields there have to be is for the reader to say. */
const FORM = {
  columns: false,
  relax_column_count: true,
  record_delimiter: ['\r\n', '\n'],
} satisfies import('csv-parse/sync').Options;

/** Which of the empty fields are quoted costs a look at each, so it is asked only where two quotes stand side by side. */
function readEmpty(bytes: Buffer, fields: string[], delimiter: string): (string | null)[] {
  if (!bytes.includes('""')) return fields.map((field) => (field === '' ? null : field));
  const { parse } = require('csv-parse/sync') as typeof import('csv-parse/sync');
  const cast = (field: string, { quoting }: { quoting: boolean }) => (field === '' && !quoting ? null : field);
  const [record] = parse(bytes, { ...FORM, delimiter, cast }) as unknown as (string | null)[][];
  return record ?? fields;
}
