import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { ConnectionSettings } from '../config';
import { SQL_FOLDER } from '../db/statements';
import { defineJob, type FunctionJob } from '../worker/define';
import { buildQuery } from './named-query';
import { withRows } from './query-rows';
import { writeWhole } from './report-file';
import { formatRows } from './report-format';
import { type ReportOrder, reportSchema } from './report-payload';

export interface ReportSettings {
  /** The folder that reports are written to. */
  reportDir: string;
  /** Where the rows come from. */
  database: ConnectionSettings;
  /** The user's own SQL files; they stand before those that ship with Rowlock. */
  reportsFolder?: string | undefined;
}

export interface ReportResult {
  /** Its name within the report folder. */
  file: string;
  rows: number;
  bytes: number;
}

/**
 * The job type `report.generate`: runs a named query and writes its rows to a file, in constant memory and
 * with no transaction held.
 */
export function reportGenerate({ reportDir, database, reportsFolder }: ReportSettings): FunctionJob<ReportOrder> {
  const shipped = join(SQL_FOLDER, 'reports');
  const folders: [string, ...string[]] = reportsFolder === undefined ? [shipped] : [reportsFolder, shipped];
  return defineJob<ReportOrder>({
    type: 'report.generate',
    payload: reportSchema,
    timeout: '6h',
    async run({ report, params, format, escapeFormulas, file }, { job, signal }): Promise<ReportResult> {
      const name = file ?? `${report}-${job.id}.${format}`;
      const sql = await buildQuery({ kind: 'report', name: report, params, folders });
      return withRows(database, sql, signal, async ({ columns, stream }) => {
        const { steps, count } = formatRows(columns, { format, escapeFormulas });
        const bytes = await writeWhole(reportDir, name, job, (to) => pipeline([stream, ...steps, to], { signal }));
        return { file: name, rows: count(), bytes };
      });
    },
  });
}
