import { DELIMITER, NO_DELIMITER } from './csv-delimiter';
import { pathSchema } from './job-folder';
import { lazySchema } from './lazy-schema';

/** What becomes of a line whose key is in the table already. */
export type OnDuplicate = 'error' | 'ignore' | 'update';

/** The payload of `csv.import`. */
export interface ImportOrder {
  /** A path within `JOB_FILES_DIR`. */
  file: string;
  /** One of `CSV_IMPORT_TABLES`. */
  table: string;
  /**
   * A list: the file has no header, and these are the columns of its fields, null for one that is left out.
   * An object: the column for each name in the header; fields of other names are left out.
   *
   * @default the header names the columns
   */
  columns?: (string | null)[] | Record<string, string> | undefined;
  /** One character. @default , */
  delimiter: string;
  /** `error`: it is a bad line. @default error */
  onDuplicate: OnDuplicate;
  /** Bad lines that are put aside; one more fails the job. @default 100 */
  maxBadLines: number;
}

/** Of an identifier of the server, in characters. */
const LONGEST_NAME = 64;

export const importSchema = lazySchema<ImportOrder>(() => {
  const { z } = require('zod') as typeof import('zod');
  const name = z.string().min(1).max(LONGEST_NAME);
  return z.strictObject({
    file: pathSchema(z, 'uploads/customers.csv'),
    table: name,
    columns: z
      .union(
        [z.array(name.nullable()).min(1), z.record(z.string(), name)],
        'is neither a list of columns nor an object with the column for each name in the header',
      )
      .refine((columns) => Object.values(columns).some((column) => column !== null), 'names no column')
      .optional(),
    delimiter: z.string().regex(DELIMITER, NO_DELIMITER).default(','),
    onDuplicate: z.enum(['error', 'ignore', 'update'], 'is none of error, ignore, update').default('error'),
    maxBadLines: z.int().min(0).default(100),
  });
});
