import type { Queryable } from '../db/pool';
import { UnrecoverableError } from '../errors';
import { defineJob, type FunctionJob, type JobContext } from '../worker/define';
import { BadLines } from './csv-bad-lines';
import { readBatches } from './csv-batches';
import { Committer } from './csv-commit';
import { longestLine } from './csv-insert';
import { type ImportOrder, importSchema } from './csv-payload';
import { LONGEST_RECORD } from './csv-pieces';
import { assertUnchanged, resumePlace } from './csv-place';
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
      try {
        const place = await resumePlace(file, order, ctx);
        const target = await lookAtTable(ctx, order, place);
        const commit = new Committer({ ctx, order, file, bad, target }, place);
        const form = {
          delimiter: order.delimiter,
          fields: target.fields,
          longest: Math.min(LONGEST_RECORD, longestLine(target)),
          size: place.size,
          sources: target.sources,
        };
        for await (const batch of readBatches({ fd: file.handle.fd, from: place.byte, form }, ctx.signal)) {
          await commit.commit(batch);
          await ctx.progress(commit.place.byte / place.size);
        }
        // What was written to it meanwhile is not in the table.
        await assertUnchanged(file, order.file, commit.place);
        const { rows, bad: badLines } = commit.place;
        if (rows === 0 && badLines > 0) {
          throw new UnrecoverableError(
            `not one line of ${order.file} could be imported; ${bad.name} beside it says why`,
          );
        }
        return { rows, badLines, ...(badLines > 0 && { badFile: bad.name }) };
      } finally {
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
