import type { Queryable } from '../db/pool';
import { UnrecoverableError } from '../errors';
import { defineJob, type FunctionJob, type JobContext } from '../worker/define';
import { BadLines } from './csv-bad-lines';
import { Committer } from './csv-commit';
import { longestLine } from './csv-insert';
import { type Line, LONGEST_RECORD, readLines } from './csv-lines';
import { type ImportOrder, importSchema } from './csv-payload';
import { assertUnchanged, resumePlace } from './csv-place';
import type { Field } from './csv-records';
import { type Row, toRow } from './csv-row';
import { findTarget, type Target } from './csv-target';
import { openJobFile } from './job-file';

export interface ImportSettings {
  /** The folder of the files that payloads name. */
  filesDir: string;
  /** The tables that payloads may name, in the worker's own database. */
  tables: readonly string[];
}

export interface ImportResult {
  /** Lines that the table has taken. */
  rows: number;
  badLines: number;
  /** Where they stand, in the folder of the file; absent if there are none. */
  badFile?: string;
}

/** In one transaction. Fewer cost a commit each, more cost memory, and are done again when one of them is bad. */
const BATCH = { lines: 5_000, bytes: 512 * 1024 };

/**
 * The job type `csv.import`. Each batch is committed together with the place in the file behind it, so a kill at any
 * moment loses no line and takes none twice.
 */
export function csvImport({ filesDir, tables }: ImportSettings): FunctionJob<ImportOrder> {
  return defineJob<ImportOrder>({
    type: 'csv.import',
    payload: importSchema,
    timeout: '12h',
    async run(order, ctx): Promise<ImportResult> {
      if (!tables.includes(order.table)) {
        throw new UnrecoverableError(`the table ${order.table} is not among CSV_IMPORT_TABLES; add it there`);
      }
      const file = await openJobFile(filesDir, order.file);
      const bad = new BadLines(file.path, ctx.job.id);
      let ahead: Promise<Line<Row>[]> | undefined;
      try {
        const place = await resumePlace(file, order, ctx);
        const target = await lookAtTable(ctx, order, place);
        const commit = new Committer({ ctx, order, file, bad, target }, place);
        const form = {
          delimiter: order.delimiter,
          fields: target.fields,
          size: place.size,
          longest: Math.min(LONGEST_RECORD, longestLine(target)),
          toRow: (fields: Field[], isPlain: boolean) => toRow(target, fields, isPlain),
        };
        const read = (from: number) => {
          ahead = readLines(file.handle, from, form, BATCH, ctx.signal);
          // It is waited for below; until then its error is not one that nobody catches.
          ahead.catch(() => undefined);
          return ahead;
        };
        let lines = await read(place.byte);
        for (let last = lines.at(-1); last !== undefined; last = lines.at(-1)) {
          // The next batch is parsed while the server has this one, and not sooner: what is parsed before the rows are
          // sent keeps the server waiting for them.
          const behind = last.end;
          let next: Promise<Line<Row>[]> | undefined;
          await commit.commit(lines, () => {
            next ??= read(behind);
          });
          await ctx.progress(commit.place.byte / place.size);
          lines = await (next ?? read(behind));
        }
        // What was written to it meanwhile is not in the table.
        await assertUnchanged(file, order.file, commit.place);
        const { rows, bad: badLines } = commit.place;
        return { rows, badLines, ...(badLines > 0 && { badFile: bad.name }) };
      } finally {
        // What reads ahead would find the file closed; its own error is of no more interest.
        await ahead?.catch(() => undefined);
        await bad.close();
        await file.handle.close();
      }
    },
  });
}

/** In the transaction of a checkpoint: the job has no connection but that. */
async function lookAtTable(ctx: JobContext, order: ImportOrder, place: Awaited<ReturnType<typeof resumePlace>>) {
  let target: Target | undefined;
  await ctx.save(place, async (tx) => {
    target = await findTarget(tx as Queryable, order, place.header);
  });
  if (target === undefined) throw new Error('the table was not looked at, as the save before it got no answer');
  return target;
}
