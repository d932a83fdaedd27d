import { lazySchema } from './lazy-schema';
import type { ParameterValue } from './named-query';

/** The payload of `report.generate`. */
export interface ReportOrder {
  /** The name of a report's SQL file, without `.sql`. */
  report: string;
  /** A value for each `:name` of the report. */
  params: Record<string, ParameterValue>;
  format: 'csv' | 'ndjson';
  /** @default `<report>-<job id>.<format>` */
  file?: string | undefined;
  /** False: CSV text that a spreadsheet would take for a formula stays as it is. */
  escapeFormulas: boolean;
}

/** No dot, no slash: a name can leave no folder. */
const REPORT_NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/;
/** No slash, and no dot at its start, where the names of unfinished files begin. */
const FILE_NAME = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,149}$/;

export const reportSchema = lazySchema<ReportOrder>(() => {
  const { z } = require('zod') as typeof import('zod');
  const scalar = z.union([z.string(), z.number(), z.bigint(), z.boolean(), z.null()]);
  const parameter = z.union(
    [scalar, z.array(scalar).min(1)],
    'is no text, number, true, false or null, nor a list of such',
  );
  return z.strictObject({
    report: z.string().regex(REPORT_NAME, 'is no name of a report (letters, digits, _ and -)'),
    params: z.record(z.string(), parameter).default({}),
    format: z.enum(['csv', 'ndjson'], 'is neither "csv" nor "ndjson"').default('csv'),
    file: z.string().regex(FILE_NAME, 'is no plain file name (letters, digits, dot, _ and -)').optional(),
    escapeFormulas: z.boolean().default(true),
  });
});
